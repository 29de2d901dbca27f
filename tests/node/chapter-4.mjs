// Rooms: who hears what.
//
// Run:  npm ci && node chapter-4.mjs
// Try:  open http://127.0.0.1:8005 in two tabs, join a room, and see who hears what.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { on, onFallback } from "./answer.mjs";
import { log, serve } from "./process.mjs";
import {
  BadRequest,
  answer as respond,
  browserKit,
  file,
  json,
  router,
} from "./router.mjs";

/** How long the members of a room may take to answer a question, in milliseconds. */
const ANSWER_DEADLINE = 2000;

/** What `say` may do, by name. All but `within` leave out the sender. */
const OPERATORS = {
  to: (socket, room) => socket.to(room),
  within: (socket, room) => socket.nsp.in(room),
  except: (socket, room) => socket.except(room),
  volatile: (socket, room) => socket.volatile.to(room),
  broadcast: (socket) => socket.broadcast,
  local: (socket) => socket.local,
};

const app = router({
  "/": { GET: await file("4.4-whispers/static/index.html", "text/html") },
  "/rooms/{name}/move": { POST: moveRoom },
  "/rooms/{name}": { DELETE: deleteRoom },
  "/rooms/{name}/members/{id}": { DELETE: kickMember },
  ...browserKit,
});

function onConnect(socket) {
  log("connected", { transport: socket.conn.transport.name });
  // Never `socket.id`: every socket is in a room of that name, and who joins it listens in.
  socket.data.member = { id: randomUUID() };
  on(socket, "joinRoom", (answer, wish) => onJoinRoom(answer, socket, wish));
  on(socket, "chatInput", (answer, message) => onChatInput(answer, socket, message));
  on(socket, "say", (answer, say) => onSay(answer, socket, say));
  on(socket, "announce", onAnnounce);
  on(socket, "ask", (answer, question) => onAsk(answer, socket, question));
  on(socket, "whisper", (answer, whisper) => onWhisper(answer, socket, whisper));
  on(socket, "who", onWho);
  onFallback(socket, onUnknown);
  socket.on("disconnecting", (reason) => onDisconnect(socket, reason));
}

function onJoinRoom(answer, socket, wish) {
  if (!isName(wish?.room)) {
    return answer.reject("joinRoom takes an object with a room of 1 to 50 characters");
  }
  const { room } = wish;
  const before = roomOf(socket);
  if (before !== undefined) socket.leave(before);
  socket.join(room);
  answer.accept({ ok: true, room, you: socket.data.member, members: members(room) });
}

function onChatInput(answer, socket, message) {
  if (!isName(message?.nick) || !isText(message.msg)) {
    return answer.reject(
      "chatInput takes a nick of 1 to 50 and a msg of at most 1000 characters",
    );
  }
  const room = roomOf(socket);
  if (room === undefined) return answer.reject("join a room first");
  const { nick, msg } = message;
  io.to(room).emit("chatMessage", { nick, msg });
  answer.accept({ ok: true });
}

function onSay(answer, socket, say) {
  const known = typeof say?.how === "string" && Object.hasOwn(OPERATORS, say.how);
  if (!known || !isText(say.msg) || !(say.room == null || isName(say.room))) {
    return answer.reject(
      "say takes an object with a how, a msg of at most 1000 characters and maybe a room",
    );
  }
  const { how, msg } = say;
  const room = say.room ?? roomOf(socket);
  if (room === undefined && how !== "broadcast" && how !== "local") {
    return answer.reject("name a room, or join one first");
  }
  OPERATORS[how](socket, room).emit("said", { how, msg });
  answer.accept({ ok: true });
}

function onAnnounce(answer, announcement) {
  const { to = [], except = [], msg } = announcement ?? {};
  const isList = (names) => Array.isArray(names) && names.every(isName);
  if (!isList(to) || !isList(except) || !isText(msg)) {
    return answer.reject(
      "announce takes a msg of at most 1000 characters and maybe to and except, lists of rooms",
    );
  }
  io.to(to).except(except).emit("announced", { msg });
  answer.accept({ ok: true });
}

async function onAsk(answer, socket, question) {
  if (!isText(question?.msg)) {
    return answer.reject("ask takes an object with a msg of at most 1000 characters");
  }
  const room = roomOf(socket);
  if (room === undefined) return answer.reject("join a room first");
  // `emitWithAck` of a whole room does not say whose answer is whose: ask one by one.
  const others = socketsIn(room).filter((other) => other !== socket);
  const asked = { from: socket.data.member.id, msg: question.msg };
  const replies = await Promise.allSettled(
    others.map((other) => other.timeout(ANSWER_DEADLINE).emitWithAck("asked", asked)),
  );
  const answers = others
    .map(({ data }, n) => ({ id: data.member.id, msg: replies[n].value }))
    .filter(({ msg }) => isText(msg));
  answer.accept({ ok: true, answers, silent: others.length - answers.length });
}

function onWhisper(answer, socket, whisper) {
  if (typeof whisper?.to !== "string" || !isText(whisper.msg)) {
    return answer.reject(
      "whisper takes to, a member's id, and a msg of at most 1000 characters",
    );
  }
  const room = roomOf(socket);
  if (room === undefined) return answer.reject("join a room first");
  const member = socketsIn(room).find(({ data }) => data.member.id === whisper.to);
  if (!member) return answer.reject("nobody in your room has this id");
  member.emit("whispered", { from: socket.data.member.id, msg: whisper.msg });
  answer.accept({ ok: true });
}

function onWho(answer, question) {
  if (!isName(question?.room)) {
    return answer.reject("who takes an object with a room of 1 to 50 characters");
  }
  answer.accept({ ok: true, members: members(question.room) });
}

/** Tells the room, while the socket is still in it: at `disconnect` it no longer is. */
function onDisconnect(socket, reason) {
  log("disconnected", { reason });
  const room = roomOf(socket);
  if (room !== undefined) socket.to(room).emit("user has left", socket.data.member);
}

/** Runs for every event that has no handler of its own. */
function onUnknown(answer) {
  answer.reject("there is no such event");
}

/** The room that a client is in, besides the one that is named after it. */
function roomOf(socket) {
  return [...socket.rooms].find((room) => room !== socket.id);
}

function socketsIn(room) {
  const { adapter, sockets } = io.sockets;
  return [...(adapter.rooms.get(room) ?? [])].map((id) => sockets.get(id));
}

/** Who is in `room`. */
function members(room) {
  return socketsIn(room).map(({ data }) => data.member);
}

/** The name of a room or a person: 1 to 50 characters. */
function isName(name) {
  return typeof name === "string" && name !== "" && [...name].length <= 50;
}

/** What somebody says: at most 1000 characters. */
function isText(text) {
  return typeof text === "string" && [...text].length <= 1000;
}

function isId(id) {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

/** `POST /rooms/NAME/move`: everybody in the room goes to another one. */
async function moveRoom(request, response, from) {
  const { to } = (await json(request)) ?? {};
  if (!isName(from) || !isName(to)) throw new BadRequest("a name has 1 to 50 characters");
  log("move", { from, to });
  if (from !== to) {
    io.in(from).emit("moved", { room: to });
    io.in(from).socketsJoin(to);
    io.in(from).socketsLeave(from);
  }
  respond(response, 204);
}

/** `DELETE /rooms/NAME`: everybody in the room is disconnected. */
function deleteRoom(request, response, room) {
  if (!isName(room)) throw new BadRequest("a name has 1 to 50 characters");
  log("delete", { room });
  io.in(room).disconnectSockets();
  respond(response, 204);
}

/** `DELETE /rooms/NAME/members/ID`: one member of the room is disconnected. */
function kickMember(request, response, room, id) {
  if (!isName(room) || !isId(id)) throw new BadRequest("an id is a UUID");
  log("kick", { room });
  const member = socketsIn(room).find(({ data }) => data.member.id === id);
  member?.disconnect();
  respond(response, member ? 204 : 404);
}

const server = createServer(app);
// The limits are the library's own: a million bytes a message, a ping every 25 s, and
// 20 s to answer it.
const io = new Server(server);
io.on("connection", onConnect);
await serve(server, () => io.close());
