// Roles: two tokens, checks in an order, and what a refused client is told.
//
// Run:  npm ci && node chapter-5-2.mjs
// Try:  open http://127.0.0.1:8005, choose another token, and see who lets you in.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { on, onFallback } from "./answer.mjs";
import { guard } from "./checks.mjs";
import { log, serve } from "./process.mjs";
import { browserKit, file, router } from "./router.mjs";

const app = router({
  "/": { GET: await file("5.2-roles/static/index.html", "text/html") },
  ...browserKit,
});

function onConnect(socket) {
  const namespace = socket.nsp.name;
  const { role } = socket.data;
  log("connected", { namespace, role, transport: socket.conn.transport.name });
  on(socket, "role", (answer) => answer.accept({ ok: true, role }));
  onFallback(socket, onUnknown);
  socket.on("disconnect", () => log("disconnected", { namespace }));
  socket.emit("welcome", { role });
}

/** Runs for every event that has no handler of its own. */
function onUnknown(answer) {
  answer.reject("there is no such event");
}

const server = createServer(app);
// The limits are the library's own: a million bytes a message, a ping every 25 s, and
// 20 s to answer it.
const io = new Server(server);
guard(io, onConnect);
await serve(server, () => io.close());
