// Around the engine: one signed cookie for pages and sockets, a gate, headers, errors.
//
// Run:  npm ci && node chapter-5-3.mjs
// Try:  open http://127.0.0.1:8005 in two tabs and in a private window, and see who is who.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { on, onFallback } from "./answer.mjs";
import { guard } from "./checks.mjs";
import { gate, listRefusals, watch } from "./engine.mjs";
import { log, serve } from "./process.mjs";
import { browserKit, file, router } from "./router.mjs";
import { visitorOf, whoAmI, withCookie } from "./visitor.mjs";

const app = router({
  "/": { GET: withCookie(await file("5.3-layers/static/index.html", "text/html")) },
  "/whoami": { GET: whoAmI },
  "/connection-errors": { GET: listRefusals },
  ...browserKit,
});

function onConnect(socket) {
  const namespace = socket.nsp.name;
  const { role } = socket.data;
  // The cookie came with the handshake: that answer stands as long as the connection lasts.
  const visitor = visitorOf(socket.request);
  log("connected", { namespace, role, transport: socket.conn.transport.name });
  on(socket, "role", (answer) => answer.accept({ ok: true, role }));
  on(socket, "whoami", (answer) => answer.accept({ ok: true, visitor }));
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
const io = new Server(server, { allowRequest: gate });
watch(io.engine);
guard(io, onConnect);
await serve(server, () => io.close());
