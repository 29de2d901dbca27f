// The list of messages: in order, each once, with the days between them; and where in it
// the reader is.

const list = document.querySelector("#messages");
const box = document.querySelector("#talk");
const pill = document.querySelector("#pill");
const blank = document.querySelector("#message").content;
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

// ---- What is in the list -----------------------------------------------------------

const numbers = new Set();
let highest = 0;

/** The number of the first and of the last message that is shown, 0 if there is none. */
export const first = () => Number(list.querySelector(".message")?.dataset.seq ?? 0);
export const last = () => highest;

/** Takes over what the server has put on the page. */
export function start(finish) {
  for (const line of list.querySelectorAll(".message")) settle(line, finish);
  toTheEnd();
}

/** Adds a message at its place. One that is here already is left alone. */
export function add(message, mine, finish) {
  if (numbers.has(message.seq)) return;
  // The browser tells of scrolling with the next frame. A message can be faster.
  noticeScrolling();
  const line = lineOf(message, mine);
  const next = nextOf(message.seq);
  list.insertBefore(line, next);
  settle(line, finish);
  if (next === null) arrived(mine);
  else showDay(next);
}

/** Somebody came or went. Such lines are not kept: they stand where they were heard. */
export function addNotice(text) {
  noticeScrolling();
  const line = document.createElement("li");
  line.className = "notice";
  line.textContent = text;
  list.append(line);
  if (stuck) toTheEnd();
}

/** The first message with a higher number. Nearly always there is none. */
function nextOf(seq) {
  let next = null;
  for (let line = list.lastElementChild; line; line = line.previousElementSibling) {
    if (!line.matches(".message")) continue;
    if (Number(line.dataset.seq) < seq) break;
    next = line;
  }
  return next;
}

/** What every line needs, whether the server made it or this script. */
function settle(line, finish) {
  const seq = Number(line.dataset.seq);
  numbers.add(seq);
  highest = Math.max(highest, seq);
  const element = line.querySelector("time");
  // In the reader's own time zone and way of writing: the server knows neither.
  element.textContent = time.format(new Date(element.dateTime));
  showDay(line);
  finish(line);
}

function lineOf(message, mine) {
  const line = blank.cloneNode(true).querySelector("li");
  line.dataset.seq = message.seq;
  line.classList.toggle("mine", mine);
  const user = line.querySelector(".user");
  user.textContent = message.user;
  colour(user, message.user);
  line.querySelector("time").dateTime = message.createdAt;
  const text = line.querySelector(".text");
  if (message.gif === undefined) text.textContent = message.chat;
  else text.replaceWith(gifOf(message));
  return line;
}

function gifOf(message) {
  const gif = document.createElement("img");
  gif.className = "gif";
  gif.src = `/gif/${message.gif}`;
  gif.alt = `A GIF from ${message.user}`;
  return gif;
}

// ---- Days --------------------------------------------------------------------------

const dayOf = (line) => day.format(new Date(line.querySelector("time").dateTime));

/** The first message of a day has a line above it that names the day. */
function showDay(line) {
  const above = line.previousElementSibling;
  const marked = above?.matches(".day") ?? false;
  const before = messageAbove(line);
  if (before !== null && dayOf(before) === dayOf(line)) {
    if (marked) above.remove();
    return;
  }
  const mark = marked ? above : document.createElement("li");
  mark.className = "day";
  mark.textContent = dayOf(line);
  line.before(mark);
}

function messageAbove(line) {
  let above = line.previousElementSibling;
  while (above !== null && !above.matches(".message")) {
    above = above.previousElementSibling;
  }
  return above;
}

// ---- Where the reader is -----------------------------------------------------------

/** At the end the list follows what is said. Who reads further up is left in peace. */
let stuck = true;
let heights = "";
let unseen = 0;

const heightsNow = () => `${box.scrollHeight} in ${box.clientHeight}`;

function noticeScrolling() {
  // A list that grows or shrinks moves by itself: that is no reader who scrolls.
  const changed = heights !== heightsNow();
  heights = heightsNow();
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  stuck = atEnd || (stuck && changed);
  if (stuck) saw();
}

box.addEventListener("scroll", noticeScrolling);
pill.addEventListener("click", () => {
  toTheEnd();
  // The button is hidden now, and what is hidden cannot keep the focus.
  box.focus();
});
document.addEventListener("visibilitychange", () => stuck && saw());
// A GIF has a height once it has arrived, and a phone has less of it with a keyboard.
const sizes = new ResizeObserver(() => stuck && toTheEnd());
sizes.observe(list);
sizes.observe(box);

function arrived(mine) {
  if (mine || (stuck && !document.hidden)) return toTheEnd();
  unseen += 1;
  pill.textContent = unseen === 1 ? "1 new message" : `${unseen} new messages`;
  pill.hidden = stuck;
  document.title = `(${unseen}) ${document.title.replace(/^\(\d+\) /, "")}`;
}

function toTheEnd() {
  box.scrollTop = box.scrollHeight;
  heights = heightsNow();
  stuck = true;
  saw();
}

function saw() {
  if (document.hidden || unseen === 0) return;
  unseen = 0;
  pill.hidden = true;
  document.title = document.title.replace(/^\(\d+\) /, "");
}

/** Puts messages above the first without moving what is being read. */
export function keepingPlace(change) {
  const below = box.scrollHeight - box.scrollTop;
  change();
  box.scrollTop = box.scrollHeight - below;
}
