// A room's page.
import { catchUp } from "./catch-up.js";
import * as composer from "./composer.js";
import * as messages from "./messages.js";
import { still } from "./still.js";
{
  const room = document.querySelector("#room").dataset.room;
  const status = document.querySelector("#status");
  const banner = document.querySelector("#banner");
  const people = document.querySelector("#people");

  /** Everybody in the room, by id. The server says who; this page only remembers. */
  const members = new Map();
  let me = null;

  const FULL = "This room is full. Reload this page to try again.";

  // ---- The connection --------------------------------------------------------------

  const socket = io("/chat", { reconnectionDelay: 200, reconnectionDelayMax: 2000 });
  document.querySelector("wire-panel").watch(socket);

  // On every connect: a reconnected socket is a new one, and is in no room.
  socket.on("connect", () => {
    // A callback, not a promise: what comes right behind the answer must find it applied.
    socket.emit("join", { room }, (answer) => {
      if (answer.ok) enter(answer);
      else leave(answer.error);
    });
  });
  socket.on("disconnect", (reason) => {
    if (reason !== "io client disconnect") lost();
  });
  socket.on("connect_error", (error) => {
    lost();
    if (error.message === "no visitor") reloadOnce();
  });

  function enter(answer) {
    sessionStorage.removeItem("reloaded");
    me = answer.you.id;
    members.clear();
    for (const member of answer.members) members.set(member.id, member);
    showPeople();
    say("connected", "in the room", "");
    // What was said before, or while this page was away.
    missing.reach(answer.seq);
  }

  function lost() {
    say("disconnected", "reconnecting", "The connection is lost. Trying again …");
  }

  /** There is no seat here. The page that the server sends instead says why. */
  function leave(error) {
    socket.disconnect();
    // The page that the server sends instead asks for the password.
    if (error === "forbidden") return location.reload();
    const reason = error === "full" ? FULL : "This room is gone.";
    say("refused", "not in the room", reason);
    composer.stop();
  }

  /** For a cookie that this browser lost. Once: it may not take cookies at all. */
  function reloadOnce() {
    if (sessionStorage.getItem("reloaded")) {
      const reason = "This page needs its cookie, and this browser does not keep it.";
      return say("refused", "not in the room", reason);
    }
    sessionStorage.setItem("reloaded", "yes");
    location.reload();
  }

  function say(state, text, sentence) {
    status.dataset.state = state;
    status.textContent = text;
    banner.textContent = sentence;
  }

  // ---- People ----------------------------------------------------------------------

  socket.on("join", (moved) => {
    members.set(moved.id, moved);
    showPeople();
    messages.addNotice(moved.chat);
  });
  socket.on("exit", (moved) => {
    members.delete(moved.id);
    showPeople();
    messages.addNotice(moved.chat);
  });
  socket.on("roomClosed", () => {
    messages.addNotice("The room has been deleted.");
    leave("unknown");
  });

  function showPeople() {
    document.querySelector("#count").textContent = members.size;
    people.replaceChildren(...Array.from(members.values(), personOf));
  }

  function personOf(member) {
    const person = copy("#person");
    const user = person.querySelector(".user");
    user.textContent = member.user + (member.id === me ? " (you)" : "");
    if (member.owner) user.textContent += " · made this room";
    colour(user, member.user);
    return person;
  }

  function copy(template) {
    return document.querySelector(template).content.cloneNode(true).firstElementChild;
  }

  // ---- Messages --------------------------------------------------------------------

  const missing = catchUp({ last: messages.last, show, fetchAfter });
  messages.start(still);
  socket.on("chat", missing.hear);

  function show(message) {
    messages.add(message, message.mine ?? message.author === me, still);
  }

  function fetchAfter(seq) {
    return fetchMessages(`after=${seq}`);
  }

  async function fetchMessages(query) {
    const response = await fetch(`/room/${room}/messages?${query}`);
    if (response.ok) return response.json();
    const error = new Error(`${response.status}`);
    // Not admitted, or the room is gone. Anything else may pass.
    error.final = response.status >= 400 && response.status < 429;
    throw error;
  }

  // What is further up than the page begins with.
  const earlier = document.querySelector("#earlier");
  earlier.hidden = messages.first() <= 1;
  earlier.addEventListener("click", async () => {
    if (earlier.ariaBusy === "true") return;
    earlier.ariaBusy = "true";
    const found = await fetchMessages(`before=${messages.first()}`).catch(() => null);
    earlier.ariaBusy = "false";
    earlier.textContent = found === null ? "That failed. Try again" : "Earlier messages";
    messages.keepingPlace(() => found?.forEach(show));
    if (messages.first() > 1) return;
    // The button is hidden now, and what is hidden cannot keep the focus.
    document.querySelector("#talk").focus({ preventScroll: true });
    earlier.hidden = true;
  });

  // ---- Saying something ------------------------------------------------------------

  /** It may have been stored all the same: only the room itself can tell. */
  const NO_ANSWER = { error: "No answer. If it does not appear, try again." };

  composer.start(postChat, postGif);

  /** The stored message, or `{ error }` with a sentence. Nothing is sent twice. */
  async function postChat(chat) {
    try {
      const response = await fetch(`/room/${room}/chat`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ chat }),
        signal: AbortSignal.timeout(10_000),
      });
      return await response.json();
    } catch {
      return NO_ANSWER;
    }
  }

  /** The same for a GIF. `fetch` does not tell how much of a body was sent; this does. */
  function postGif(gif, signal, onProgress) {
    const form = new FormData();
    form.append("gif", gif);
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      onProgress(loaded / total);
    });
    signal.addEventListener("abort", () => request.abort());
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => resolve(request.response ?? NO_ANSWER));
      request.responseType = "json";
      request.open("POST", `/room/${room}/gif`);
      request.send(form);
    });
  }

  // ---- The end of the room ---------------------------------------------------------

  const remove = document.querySelector("#delete");
  remove?.addEventListener("click", async () => {
    if (!confirm("Delete this room, with everything in it?")) return;
    remove.disabled = true;
    const fault = await deleteRoom();
    if (fault === null) location.assign("/");
    document.querySelector("#delete-fault").textContent = fault;
    remove.disabled = false;
  });

  /** What went wrong, or null. */
  async function deleteRoom() {
    try {
      const response = await fetch(`/room/${room}`, { method: "DELETE" });
      return response.ok ? null : (await response.json()).error;
    } catch {
      return "The server cannot be reached. Try again.";
    }
  }
}
