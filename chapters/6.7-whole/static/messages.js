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

/** The number of the first and of the last message that is shown, 0 if there is none. */
export const first = () => Number(list.querySelector(".message")?.dataset.seq ?? 0);
export const last = () => Math.max(0, ...numbers);

/** Takes over what the server has put on the page. */
export function start(finish) {
  for (const line of list.querySelectorAll(".message")) {
    numbers.add(Number(line.dataset.seq));
    showTime(line);
    finish(line);
  }
  showDays();
  toTheEnd();
}

/** Adds a message at its place. One that is here already is left alone. */
export function add(message, mine, finish) {
  if (numbers.has(message.seq)) return;
  numbers.add(message.seq);
  const line = lineOf(message, mine);
  finish(line);
  const next = [...list.querySelectorAll(".message")].find(
    (other) => Number(other.dataset.seq) > message.seq,
  );
  list.insertBefore(line, next ?? null);
  showDays();
  if (next === undefined) arrived(mine);
}

/** Somebody came or went. Such lines are not kept: they stand where they were heard. */
export function addNotice(text) {
  const line = document.createElement("li");
  line.className = "notice";
  line.textContent = text;
  list.append(line);
  if (stuck) toTheEnd();
}

function lineOf(message, mine) {
  const line = blank.cloneNode(true).querySelector("li");
  line.dataset.seq = message.seq;
  line.classList.toggle("mine", mine);
  const user = line.querySelector(".user");
  user.textContent = message.user;
  colour(user, message.user);
  line.querySelector("time").dateTime = message.createdAt;
  showTime(line);
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

// ---- When --------------------------------------------------------------------------

/** In the reader's own time zone and way of writing: the server knows neither. */
function showTime(line) {
  const element = line.querySelector("time");
  element.textContent = time.format(new Date(element.dateTime));
}

/** A line before the first message of every day. */
function showDays() {
  let before = null;
  for (const line of list.querySelectorAll(".message")) {
    const today = day.format(new Date(line.querySelector("time").dateTime));
    const above = line.previousElementSibling;
    const marked = above?.classList.contains("day");
    if (today === before) {
      if (marked) above.remove();
    } else if (!marked) {
      const mark = document.createElement("li");
      mark.className = "day";
      mark.textContent = today;
      line.before(mark);
    }
    before = today;
  }
}

// ---- Where the reader is -----------------------------------------------------------

/** At the end the list follows what is said. Who reads further up is left in peace. */
let stuck = true;
let unseen = 0;

box.addEventListener("scroll", () => {
  stuck = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  if (stuck) saw();
});
pill.addEventListener("click", toTheEnd);
document.addEventListener("visibilitychange", () => stuck && saw());
// A GIF has a height only once it has arrived, and a phone has less of it with a keyboard.
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
  stuck = true;
  saw();
}

function saw() {
  if (document.hidden) return;
  unseen = 0;
  pill.hidden = true;
  document.title = document.title.replace(/^\(\d+\) /, "");
}

/** Puts messages above the first without moving what is being read. */
export function keepingPlace(change) {
  const below = box.scrollHeight - box.scrollTop;
  list.setAttribute("aria-busy", "true");
  change();
  box.scrollTop = box.scrollHeight - below;
  list.removeAttribute("aria-busy");
}
