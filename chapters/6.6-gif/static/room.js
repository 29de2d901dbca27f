// A room's page.
"use strict";
{
  const room = document.querySelector("#room").dataset.room;
  const status = document.querySelector("#status");
  const people = document.querySelector("#people");
  const messages = document.querySelector("#messages");

  /** Everybody in the room, by id. The server says who; this page only remembers. */
  const members = new Map();
  let me = null;

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
  socket.on("disconnect", () => say("disconnected", "reconnecting"));
  socket.on("connect_error", (error) => {
    say("disconnected", "reconnecting");
    if (error.message === "no visitor") reloadOnce();
  });

  function enter(answer) {
    sessionStorage.removeItem("reloaded");
    me = answer.you.id;
    members.clear();
    for (const member of answer.members) members.set(member.id, member);
    showPeople();
    say("connected", "in the room");
  }

  /** There is no seat here. The page that the server sends instead says why. */
  function leave(error) {
    socket.disconnect();
    // The page that the server sends instead asks for the password.
    if (error === "forbidden") return location.reload();
    say("refused", error === "full" ? "this room is full" : "this room is gone");
  }

  /** For a cookie that this browser lost. Once: it may not take cookies at all. */
  function reloadOnce() {
    if (sessionStorage.getItem("reloaded")) return;
    sessionStorage.setItem("reloaded", "yes");
    location.reload();
  }

  function say(state, text) {
    status.dataset.state = state;
    status.textContent = text;
  }

  // ---- People ----------------------------------------------------------------------

  socket.on("join", (moved) => {
    members.set(moved.id, moved);
    showPeople();
    notice(moved.chat);
  });
  socket.on("exit", (moved) => {
    members.delete(moved.id);
    showPeople();
    notice(moved.chat);
  });
  socket.on("roomClosed", () => {
    notice("The room has been deleted.");
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

  function notice(text) {
    const line = copy("#notice");
    line.textContent = text;
    messages.append(line);
  }

  function copy(template) {
    return document.querySelector(template).content.cloneNode(true).firstElementChild;
  }

  // ---- Messages --------------------------------------------------------------------

  socket.on("chat", show);
  for (const line of messages.querySelectorAll(".message")) showTime(line);

  /** Adds a message, unless it is here already: our own come twice. */
  function show(message) {
    if (messages.querySelector(`[data-seq="${message.seq}"]`)) return;
    const line = copy("#message");
    line.dataset.seq = message.seq;
    line.classList.toggle("mine", message.author === me);
    const user = line.querySelector(".user");
    user.textContent = message.user;
    colour(user, message.user);
    const text = line.querySelector(".text");
    if (message.gif === undefined) text.textContent = message.chat;
    else text.replaceWith(gifOf(message));
    line.querySelector("time").dateTime = message.createdAt;
    showTime(line);
    messages.append(line);
  }

  function gifOf(message) {
    const gif = document.createElement("img");
    gif.className = "gif";
    gif.src = `/gif/${message.gif}`;
    gif.alt = `A GIF from ${message.user}`;
    return gif;
  }

  function showTime(line) {
    const time = line.querySelector("time");
    time.textContent = new Date(time.dateTime).toLocaleTimeString();
  }

  // ---- Saying something ------------------------------------------------------------

  const composer = document.querySelector("#composer");
  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { chat } = composer.elements;
    const json = { "content-type": "application/json" };
    const answer = await post("chat", json, JSON.stringify({ chat: chat.value }));
    document.querySelector("#fault").textContent = answer.error ?? "";
    if (answer.error === undefined) chat.value = "";
  });

  const gif = document.querySelector("#gif");
  gif.addEventListener("change", async () => {
    const form = new FormData();
    form.append("gif", gif.files[0]);
    // Empty again, so that the same file can be chosen once more.
    gif.value = "";
    const answer = await post("gif", {}, form);
    document.querySelector("#fault").textContent = answer.error ?? "";
  });

  /** The stored message, or `{ error }` with a sentence. Nothing is sent twice. */
  async function post(what, headers, body) {
    try {
      const url = `/room/${room}/${what}`;
      const response = await fetch(url, { method: "POST", headers, body });
      return await response.json();
    } catch {
      return { error: "The server cannot be reached. Try again." };
    }
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
