// Socket.IO: who a client is, why it left, and how the server stops.
//
// Run:  npm ci && node chapter-2.mjs
// Try:  open http://127.0.0.1:8005 in two tabs, leave with one, and see why in the other.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { on, onFallback } from "./answer.mjs";
import { log, serve } from "./process.mjs";
import { browserKit, file, router } from "./router.mjs";

/** How often the server sends each client the news, in milliseconds. */
const NEWS = 3_000;
/** The longest reply or question, in characters. */
const MAX_TEXT = 1000;
/** The longest time that a client may take to answer a question, in milliseconds. */
const MAX_WAIT = 10_000;
/** How many departures the server remembers. */
const REMEMBERED = 100;
/** The headers that a client may read back. Never `cookie`. */
const SHOWN = ["host", "origin", "user-agent", "accept-language"];

/** The last departures, oldest first. */
const departures = [];

const app = router({
  "/": { GET: await file("2.4-disconnects/static/index.html", "text/html") },
  ...browserKit,
});

function onConnect(socket) {
  const id = socket.id.slice(0, 6);
  const { remoteAddress, remotePort } = socket.request.socket;
  const address = `${remoteAddress}:${remotePort}`;
  log("connected", { id, address, transport: socket.conn.transport.name });
  on(socket, "reply", onReply);
  on(socket, "howAreYou", onHowAreYou);
  on(socket, "askMe", (answer, ...values) => onAskMe(socket, answer, ...values));
  on(socket, "mirror", onMirror);
  on(socket, "goodbye", (answer) => onGoodbye(socket, answer));
  on(socket, "departures", (answer) => answer.accept({ ok: true, departures }));
  on(socket, "handshake", (answer) => onHandshake(socket, address, answer));
  onFallback(socket, onUnknown);
  const news = setInterval(() => socket.emit("news", "Hello Socket.IO"), NEWS);
  socket.on("disconnect", (reason) => {
    clearInterval(news);
    log("disconnected", { id, reason });
    departures.push({ id, reason });
    if (departures.length > REMEMBERED) departures.shift();
  });
  socket.emit("hello", { message: "Welcome to Socket.IO" });
}

function onReply(answer, text) {
  if (typeof text !== "string") return answer.reject("reply takes a string");
  if (isTooLong(text)) return answer.reject("a reply is at most 1000 characters");
  log("reply", { text });
  answer.accept({ ok: true });
}

function onHowAreYou(answer, question) {
  if (typeof question?.message !== "string") {
    return answer.reject("howAreYou takes an object with a string called message");
  }
  log("howAreYou", { question: question.message.slice(0, 100) });
  answer.accept({ ok: true, message: "Fine, thank you" });
}

/** Asks the client the question that it wants to be asked, and passes its answer back. */
async function onAskMe(socket, answer, ...values) {
  const [question, millis] = values;
  if (values.length !== 2 || typeof question !== "string" || !(millis >= 0))
    return answer.reject("askMe takes a string and a number of milliseconds");
  if (isTooLong(question)) return answer.reject("a question is at most 1000 characters");
  if (millis > MAX_WAIT)
    return answer.reject("a question waits for at most 10 seconds");
  try {
    const given = await socket.timeout(millis).emitWithAck("question", question);
    answer.accept({ ok: true, answer: given });
  } catch {
    answer.reject("no answer in time");
  }
}

function onMirror(answer, bytes) {
  if (!Buffer.isBuffer(bytes)) return answer.reject("mirror takes bytes");
  answer.accept({ ok: true, bytes: Buffer.from(bytes).reverse() });
}

/** Ends the connection to the namespace, at the client's own request. */
function onGoodbye(socket, answer) {
  answer.accept({ ok: true });
  socket.disconnect();
}

/** Tells the client what the server knows about it from its first request. */
function onHandshake(socket, address, answer) {
  const { issued, query, headers } = socket.handshake;
  const shown = SHOWN.filter((name) => name in headers).map((name) => [
    name,
    headers[name],
  ]);
  const handshake = { address, issued, query, headers: Object.fromEntries(shown) };
  answer.accept({ ok: true, handshake });
}

/** Runs for every event that has no handler of its own. */
function onUnknown(answer) {
  answer.reject("there is no such event");
}

/** Counts characters, and not UTF-16 units. */
function isTooLong(text) {
  return [...text].length > MAX_TEXT;
}

const server = createServer(app);
// The limits are the library's own: a million bytes a message, a ping every 25 s, and
// 20 s to answer it.
const io = new Server(server);
io.on("connection", onConnect);
await serve(server, () => io.close());
