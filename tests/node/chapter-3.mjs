// Namespaces over one connection: four that are always there, and dynamic ones.
//
// Run:  npm ci && node chapter-3.mjs
// Try:  open http://127.0.0.1:8005 in two tabs and send a notice.
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

/** The event that greets in each namespace. */
const GREETINGS = {
  "/": ["hi", "everyone"],
  "/room": ["newRoom", "a room"],
  "/chat": ["join", "joined"],
  "/system": ["message", "Notice !"],
};
/** Whatever matches exists as long as somebody is in it. */
const DYNAMIC = /^\/dynamic-\d{1,9}$/;
/** Stands for all dynamic namespaces. */
const ALL_DYNAMIC = "/dynamic-*";
/** How many may have somebody in them at once. */
const MAX_NAMESPACES = 100;

/** The dynamic namespaces that have somebody in them. */
const names = new Set();

const app = router({
  "/": { GET: await file("3.3-dynamic/static/index.html", "text/html") },
  "/notice": { POST: sendNotice },
  ...browserKit,
});

/** Lets a client into a dynamic namespace. */
function enter(socket, next) {
  const { name } = socket.nsp;
  if (!names.has(name) && names.size >= MAX_NAMESPACES)
    return next(new Error("too many namespaces"));
  // A client that has hung up by now is never connected, and never disconnected either.
  if (socket.conn.readyState !== "open") return next(new Error("gone"));
  names.add(name);
  next();
}

function onConnect(socket, event, text) {
  log("connected", { namespace: socket.nsp.name, transport: socket.conn.transport.name });
  on(socket, "whereAmI", (answer) =>
    answer.accept({ ok: true, namespace: socket.nsp.name }),
  );
  onFallback(socket, onUnknown);
  socket.on("disconnect", () => log("disconnected", { namespace: socket.nsp.name }));
  socket.emit(event, text);
}

function onConnectDynamic(socket) {
  const { name, sockets } = socket.nsp;
  onConnect(socket, "hi", name);
  socket.on("disconnect", () => {
    if (sockets.size > 0) return;
    names.delete(name);
    log("namespace removed", { namespace: name });
  });
}

/** Runs for every event that has no handler of its own. */
function onUnknown(answer) {
  answer.reject("there is no such event");
}

/** `POST /notice`: emits `message` in one namespace, or in all dynamic ones. */
async function sendNotice(request, response) {
  const { namespace, message } = (await json(request)) ?? {};
  if (typeof namespace !== "string" || typeof message !== "string") {
    throw new BadRequest(
      "a notice is application/json: an object with the strings namespace and message",
    );
  }
  const all = namespace === ALL_DYNAMIC;
  if (!all && !names.has(namespace) && !Object.hasOwn(GREETINGS, namespace)) {
    return respond(response, 404, "there is no such namespace");
  }
  log("notice", { namespace, message });
  (all ? dynamic : io.of(namespace)).emit("message", message);
  respond(response, 204);
}

const server = createServer(app);
// The limits are the library's own: a million bytes a message, a ping every 25 s, and
// 20 s to answer it.
const io = new Server(server, { cleanupEmptyChildNamespaces: true });
for (const [namespace, [event, text]] of Object.entries(GREETINGS)) {
  io.of(namespace).on("connection", (socket) => onConnect(socket, event, text));
}
io.on("new_namespace", ({ name }) => log("new namespace", { namespace: name }));
// The parent of all dynamic namespaces: what it emits, its children do.
const dynamic = io.of(DYNAMIC);
dynamic.use(enter).on("connection", onConnectDynamic);
await serve(server, () => io.close());
