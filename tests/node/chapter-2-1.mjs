// Socket.IO: events instead of frames, `news` from the server and `reply` from the page.
//
// Run:  npm ci && node chapter-2-1.mjs
// Try:  open http://127.0.0.1:8005 in two tabs and read what the program prints.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { browserKit, file, router } from "./router.mjs";

/** How often the server sends each client the news, in milliseconds. */
const NEWS = 3_000;

function onConnect(socket) {
  const { remoteAddress, remotePort } = socket.request.socket;
  const id = socket.id.slice(0, 6);
  console.log(`${id} connected from ${remoteAddress}:${remotePort}`);
  socket.on("reply", (text) => console.log(`reply: ${JSON.stringify(text)}`));
  const news = setInterval(() => socket.emit("news", "Hello Socket.IO"), NEWS);
  socket.on("disconnect", () => {
    console.log(`${id} disconnected`);
    clearInterval(news);
  });
  socket.emit("hello", { message: "Welcome to Socket.IO" });
}

const app = router({
  "/": { GET: await file("2.1-news/static/index.html", "text/html") },
  ...browserKit,
});
const server = createServer(app);
const io = new Server(server);
io.on("connection", onConnect);
const { HOST: host = "127.0.0.1", PORT: port = "8005" } = process.env;
server.listen(port, host, () => {
  console.log(`listening on http://${host}:${server.address().port}`);
});
