// The lobby: what the server says about rooms becomes a list that is always current.
"use strict";
{
  const list = document.querySelector("#rooms");
  const blank = document.querySelector("#room-card").content;
  const status = document.querySelector("#status");

  // One order for everybody, whoever reconnects when.
  const socket = io("/room", { reconnectionDelay: 200, reconnectionDelayMax: 2000 });
  document.querySelector("wire-panel").watch(socket);

  // The first event, also after a reconnect: whatever was missed is in it.
  socket.on("rooms", (rooms) => {
    list.replaceChildren(...rooms.map(cardOf));
    say("connected", "live");
  });
  socket.on("newRoom", (room) => list.append(cardOf(room)));
  socket.on("updateRoom", (room) => {
    list.querySelector(`[data-id="${room.id}"]`)?.replaceWith(cardOf(room));
  });
  socket.on("removeRoom", (id) => list.querySelector(`[data-id="${id}"]`)?.remove());
  socket.on("disconnect", () => say("disconnected", "reconnecting"));
  socket.on("connect_error", () => say("disconnected", "reconnecting"));

  /** A card that says what is known about a room. Text stays text. */
  function cardOf(room) {
    const card = blank.cloneNode(true).querySelector("li");
    card.dataset.id = room.id;
    colour(card.querySelector(".dot"), room.owner);
    const title = card.querySelector(".room-title");
    title.href = `/room/${room.id}`;
    title.textContent = room.title;
    card.querySelector(".room-secret").hidden = !room.secret;
    card.querySelector(".room-members").textContent = room.members;
    card.querySelector(".room-max").textContent = room.max;
    return card;
  }

  function say(state, text) {
    status.dataset.state = state;
    status.textContent = text;
  }
}
