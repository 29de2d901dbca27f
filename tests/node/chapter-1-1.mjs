// A WebSocket, raw: a greeting every three seconds on `/`, an echo on `/echo`.
//
// Run:  npm ci && node chapter-1-1.mjs
// Try:  open http://127.0.0.1:8005 in two tabs and watch the terminal.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const { HOST: host = "127.0.0.1", PORT: port = "8005" } = process.env;
const file = new URL("../../chapters/1.1-ticker/static/index.html", import.meta.url);
const page = await readFile(file);

/** How often the ticker greets, in milliseconds. */
const TICK = 3_000;

const server = createServer((request, response) => {
  const known = request.url === "/" || request.url === "/echo";
  const status = !known ? 404 : request.method === "GET" ? 200 : 405;
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
  response.end(status === 200 ? page : "");
});

new WebSocketServer({ server }).on("connection", (ws, request) => {
  const peer = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
  console.log(`${peer} open`);
  ws.on("close", (code) => console.log(`${peer} closed: ${code}`));
  // Without this listener an error would end the process.
  ws.on("error", (error) => console.log(`${peer} failed: ${error.message}`));
  if (request.url === "/echo") echo(ws);
  else greet(ws, peer);
});

/** Two listeners, and a timer that the program has to clear. */
function greet(ws, peer) {
  const ticks = setInterval(() => ws.send("Hello from the server"), TICK);
  ws.on("message", (message) => console.log(`${peer} sent ${message}`));
  ws.on("close", () => clearInterval(ticks));
}

function echo(ws) {
  ws.on("message", (message, isBinary) => ws.send(message, { binary: isBinary }));
}

server.listen(Number(port), host, () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}`);
});
