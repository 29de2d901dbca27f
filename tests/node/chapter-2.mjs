// Socket.IO: events instead of frames, `news` from the server and `reply` from the page.
//
// Run:  npm ci && node chapter-2.mjs
// Try:  open http://127.0.0.1:8005 and watch the transport change in the wire panel.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { on, onFallback } from "./answer.mjs";
import { log, serve } from "./process.mjs";
import { browserKit, file, router } from "./router.mjs";

/** How often each client hears the news, in milliseconds. */
const NEWS = 3_000;
/** The longest `reply`, in characters. */
const MAX_REPLY = 1000;
const app = router({
  "/": { GET: await file("2.4-disconnects/static/index.html", "text/html") },
  ...browserKit,
});

function onConnect(socket) {
  log("connected", { transport: socket.conn.transport.name });
  on(socket, "reply", onReply);
  on(socket, "howAreYou", onHowAreYou);
  onFallback(socket, onUnknown);
  const news = setInterval(() => socket.emit("news", "Hello Socket.IO"), NEWS);
  socket.on("disconnect", (reason) => {
    log("disconnected", { reason });
    clearInterval(news);
  });
  socket.emit("hello", { message: "Welcome to Socket.IO" });
}

function onReply(answer, text) {
  if (typeof text !== "string") return answer.reject("reply takes a string");
  if ([...text].length > MAX_REPLY)
    return answer.reject("a reply is at most 1000 characters");
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

/** Runs for every event that has no handler of its own. */
function onUnknown(answer) {
  answer.reject("there is no such event");
}

const server = createServer(app);
// The limits are the library's own: a million bytes a message, a ping every 25 s, and
// 20 s to answer it.
const io = new Server(server);
io.on("connection", onConnect);
await serve(server, () => io.close());
