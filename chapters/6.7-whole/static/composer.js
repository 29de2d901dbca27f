// Saying something: a text, or a GIF that is looked at before it is sent.

const MAX_GIF = 5 * 1024 * 1024;

const composer = document.querySelector("#composer");
const chat = document.querySelector("#chat");
const file = document.querySelector("#gif");
const fault = document.querySelector("#fault");
const preview = document.querySelector("#preview");
const picture = preview.querySelector("img");
const progress = preview.querySelector("progress");
const sendGif = document.querySelector("#send-gif");
const target = document.querySelector("#room");

/** Connects the form. Both functions resolve to the stored message or to `{ error }`. */
export function start(postChat, postGif) {
  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = chat.value;
    if (text.trim() === "" || composer.ariaBusy === "true") return;
    composer.ariaBusy = "true";
    const answer = await postChat(text);
    composer.ariaBusy = "false";
    fault.textContent = answer.error ?? "";
    // What was not sent stays, to be sent again. So does what was typed in the meantime.
    if (answer.error === undefined && chat.value === text) chat.value = "";
    grow();
  });
  sendGif.addEventListener("click", () => upload(postGif));
}

// ---- Text --------------------------------------------------------------------------

chat.addEventListener("input", grow);
chat.addEventListener("keydown", (event) => {
  // While somebody chooses a Chinese, Japanese or Korean word, Enter chooses it. Safari says
  // so by this key code only.
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

let chosen = null;
let request = null;

file.addEventListener("change", () => {
  look(file.files[0]);
  // Empty again, so that the same file can be chosen once more.
  file.value = "";
});
document.addEventListener("paste", (event) => {
  const [pasted] = event.clipboardData.files;
  if (pasted === undefined) return;
  event.preventDefault();
  look(pasted);
});
for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    // Otherwise the browser would leave the room and open the file.
    event.preventDefault();
    target.classList.toggle("dropping", type === "dragover");
    if (type === "drop") look(event.dataTransfer.files[0]);
  });
}

/** Shows what would be sent. The server looks again, and into every frame. */
function look(gif) {
  put(null);
  if (gif.type !== "image/gif") return say("Only GIFs can be sent here.");
  if (gif.size > MAX_GIF) return say("A GIF has at most 5 MiB.");
  say("");
  put(gif);
  sendGif.focus();
}

function put(gif) {
  request?.abort();
  URL.revokeObjectURL(picture.src);
  chosen = gif;
  preview.hidden = gif === null;
  progress.hidden = true;
  sendGif.disabled = false;
  sendGif.textContent = "Send this GIF";
  picture.src = gif === null ? "" : URL.createObjectURL(gif);
  preview.querySelector(".size").textContent = gif === null ? "" : sizeOf(gif);
}

async function upload(postGif) {
  sendGif.disabled = true;
  progress.hidden = false;
  progress.value = 0;
  say("");
  request = new AbortController();
  const answer = await postGif(chosen, request.signal, (part) => (progress.value = part));
  if (request.signal.aborted) return;
  if (answer.error === undefined) {
    put(null);
    return chat.focus();
  }
  // It is still here: the reader decides whether to send it again. A page that did so by
  // itself might send it twice.
  say(answer.error);
  progress.hidden = true;
  sendGif.disabled = false;
  sendGif.textContent = "Try again";
}

document.querySelector("#cancel-gif").addEventListener("click", () => {
  put(null);
  say("");
  chat.focus();
});

const sizeOf = (gif) => `${(gif.size / 1024).toFixed(0)} KiB`;

function say(text) {
  fault.textContent = text;
}
