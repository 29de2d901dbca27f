// A WebSocket, raw: the handshake, close codes, deadlines and a stop.
//
// Run:  npm ci && node chapter-1.mjs
// Try:  open http://127.0.0.1:8005, press Ctrl-C in the terminal, and read the close code.
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { log, serve } from "./process.mjs";
import { answer, file, router } from "./router.mjs";

const GREETING = "Hello from the server";

/** How often the ticker greets, in milliseconds. */
const TICK = 3_000;
/** How often the server pings. A peer that completes nothing between two pings is dead. */
const PING = 15_000;
/** How long a peer may take to hang up after a close frame. */
const CLOSE_DEADLINE = 2_000;
/** One mebibyte, even for a message that arrives in many frames. */
const MAX_MESSAGE = 1024 * 1024;

// The library answers close frames, and closes with the right code after a broken frame or
// a message that is too large. It would answer pings too, and queue the answers for a peer
// that never reads.
const wss = new WebSocketServer({
  noServer: true,
  maxPayload: MAX_MESSAGE,
  autoPong: false,
  closeTimeout: CLOSE_DEADLINE,
});

const app = router({
  "/": { GET: await file("1.4-stop/static/index.html", "text/html") },
  "/echo": { GET: echo },
});

/** A plain request for the echo. A 426 names the protocol to come back with. */
function echo(request, response) {
  const reason = "This path is a WebSocket: connect with ws://, not http://.\n";
  answer(response, 426, reason, {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
  });
}

/** Answers the opening handshake, and starts the conversation once the 101 is out. */
function upgrade(request, tcp, head) {
  // Without this listener a peer that resets the connection would end the process.
  tcp.on("error", () => tcp.destroy());
  const path = request.url.split("?", 1)[0];
  if (path !== "/" && path !== "/echo") {
    return tcp.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  }
  wss.handleUpgrade(request, tcp, head, (ws) =>
    run(ws, tcp, path),
  );
}

/** Runs a connection to its end. */
function run(ws, tcp, path) {
  const peer = `${tcp.remoteAddress}:${tcp.remotePort}`;
  log(`open peer=${peer}`);
  let heard = true;
  let read = tcp.bytesRead;
  // Bytes that belong to no complete message. A pong in the middle of a message is no sign
  // of life: a peer that answers pings could take for ever to finish it.
  let unfinished = 0;
  const completed = (bytes = Infinity) => {
    unfinished = Math.max(0, unfinished + tcp.bytesRead - read - bytes);
    read = tcp.bytesRead;
    if (unfinished === 0) heard = true;
  };
  const ticks = path === "/" ? setInterval(() => ws.send(GREETING), TICK) : undefined;
  const pings = setInterval(() => {
    if (heard) {
      heard = false;
      return ws.ping();
    }
    log(`${ws.isPaused ? "took too long to read" : "silent for too long"} peer=${peer}`);
    ws.terminate();
  }, PING);
  ws.on("message", (data, isBinary) => {
    completed();
    receive(ws, peer, path, data, isBinary);
  });
  ws.on("ping", (data) => {
    completed(6 + data.length);
    send(ws, (sent) => ws.pong(data, false, sent));
  });
  ws.on("pong", (data) => completed(6 + data.length));
  // Without this listener the process would end.
  ws.on("error", (error) =>
    log(`ended by an error peer=${peer}`, { error: error.message }),
  );
  ws.on("close", (code) => {
    clearInterval(ticks);
    clearInterval(pings);
    log(`closed peer=${peer} code=${code}`);
  });
}

/** Answers a message on the echo. On `/` it is only logged: answering answers never stops. */
function receive(ws, peer, path, data, isBinary) {
  if (path === "/echo") {
    return send(ws, (sent) => ws.send(data, { binary: isBinary }, sent));
  }
  if (isBinary) return log(`received binary peer=${peer} bytes=${data.length}`);
  const text = data.toString().slice(0, 100);
  log(`received peer=${peer} bytes=${data.length}`, { text });
}

/** Sends. While something waits to go out nothing more is read, or answers would pile up. */
function send(ws, write) {
  write(() => ws.isPaused && ws.bufferedAmount === 0 && ws.resume());
  if (ws.bufferedAmount > 0) ws.pause();
}

/** Closes every connection, and waits until the clients have hung up. */
async function close() {
  server.close();
  const goodbyes = [...wss.clients].map((ws) => {
    ws.close(1001, "the server stops");
    return once(ws, "close");
  });
  await Promise.all(goodbyes);
}

const server = createServer(app).on("upgrade", upgrade);
await serve(server, close);
