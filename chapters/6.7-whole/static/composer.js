// Saying something: a text, or a GIF that is looked at before it is sent.
import { still } from "./still.js";

const MAX_GIF = 5 * 1024 * 1024;

const composer = document.querySelector("#composer");
const chat = document.querySelector("#chat");
const file = document.querySelector("#gif");
const fault = document.querySelector("#fault");

/** Connects the form. Both functions resolve to the stored message or to `{ error }`. */
export function start(postChat, postGif) {
  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = chat.value;
    if (text.trim() === "" || composer.ariaBusy === "true") return;
    composer.ariaBusy = "true";
    const answer = await postChat(text);
    composer.ariaBusy = "false";
    say(answer.error ?? "");
    // What was not sent stays, to be sent again. So does what was typed in the meantime.
    if (answer.error === undefined && chat.value.startsWith(text)) {
      chat.value = chat.value.slice(text.length);
    }
    grow();
  });
  sendGif.addEventListener("click", () => send(postGif));
}

/** There is nobody to say anything to any more. What was typed can still be copied. */
export function stop() {
  put(null);
  chat.readOnly = true;
  for (const control of composer.querySelectorAll("button, #gif")) {
    control.disabled = true;
  }
}

function say(sentence) {
  fault.textContent = sentence;
}

// ---- Text --------------------------------------------------------------------------

chat.addEventListener("input", grow);
chat.addEventListener("keydown", (event) => {
  // While somebody chooses a Chinese, Japanese or Korean word, Enter chooses it. Safari
  // says so by this key code only.
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  composer.requestSubmit();
});

/** As high as the text, up to what the style allows. */
function grow() {
  chat.style.blockSize = "auto";
  chat.style.blockSize = `${chat.scrollHeight + 2}px`;
}

// ---- A GIF: chosen, dropped or pasted ----------------------------------------------

file.addEventListener("change", () => {
  look(file.files);
  // Empty again, so that the same file can be chosen once more.
  file.value = "";
});
document.addEventListener("paste", ({ clipboardData }) => {
  // A spreadsheet puts a picture of the text beside the text. The text is meant.
  if (clipboardData.files.length === 0 || clipboardData.getData("text") !== "") return;
  look(clipboardData.files);
});
const room = document.querySelector("#room");
for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    // Otherwise the browser would leave the room and open the file.
    event.preventDefault();
    // From one element to the next is not away.
    const over = type !== "drop" && (type === "dragover" || event.relatedTarget !== null);
    room.classList.toggle("dropping", over && !chat.readOnly);
    if (type === "drop") look(event.dataTransfer.files);
  });
}

/** Shows what would be sent. The server looks again, and into every frame. */
function look(files) {
  if (files.length === 0 || chat.readOnly) return;
  const [gif] = files;
  put(null);
  if (files.length > 1) return say("One GIF at a time, please.");
  if (gif.type !== "image/gif") return say("Only GIFs can be sent here.");
  if (gif.size > MAX_GIF) return say("A GIF has at most 5 MiB.");
  say("");
  put(gif);
  sendGif.focus();
}

// ---- Looked at, and sent -----------------------------------------------------------

const preview = document.querySelector("#preview");
const picture = preview.querySelector(".picture");
const progress = preview.querySelector("progress");
const sendGif = document.querySelector("#send-gif");
const cancel = document.querySelector("#cancel-gif");

let chosen = null;
let address = "";
let sending = null;

/** Shows a GIF as the one to send, or none. */
function put(gif) {
  // Whoever uses the keyboard goes on where they can.
  if (gif === null && preview.contains(document.activeElement)) chat.focus();
  sending?.abort();
  URL.revokeObjectURL(address);
  address = gif === null ? "" : URL.createObjectURL(gif);
  chosen = gif;
  preview.hidden = gif === null;
  picture.replaceChildren();
  ready("Send this GIF");
  if (gif === null) return;
  const image = document.createElement("img");
  Object.assign(image, { className: "gif", src: address, alt: "The GIF to send" });
  picture.append(image);
  still(picture);
  const size = `${Math.ceil(gif.size / 1024)} KiB`;
  preview.querySelector(".size").textContent = `${gif.name}, ${size}`;
}

function ready(label) {
  progress.hidden = true;
  sendGif.disabled = false;
  sendGif.textContent = label;
}

async function send(postGif) {
  const mine = new AbortController();
  sending = mine;
  progress.hidden = false;
  progress.value = 0;
  if (document.activeElement === sendGif) cancel.focus();
  sendGif.disabled = true;
  say("");
  const answer = await postGif(chosen, mine.signal, (part) => (progress.value = part));
  // Cancelled, and perhaps another one is being sent by now.
  if (mine.signal.aborted) return;
  if (answer.error === undefined) return put(null);
  // It is still here: the reader decides whether to send it again. A page that did so by
  // itself might send it twice.
  say(answer.error);
  ready("Try again");
}

function forget() {
  put(null);
  say("");
}

cancel.addEventListener("click", forget);
preview.addEventListener("keydown", (event) => event.key === "Escape" && forget());
