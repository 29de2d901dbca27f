// One feed, four ways to hear it: polling, long polling, server-sent events and WebSocket.
//
// Run:  npm ci && node chapter-0.mjs
// Try:  open http://127.0.0.1:8005 and take the network away for five seconds.
import { EventEmitter, once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const { HOST: host = "127.0.0.1", PORT: port = "8005" } = process.env;
const file = "../../chapters/0-before-websockets/static/index.html";
const page = await readFile(new URL(file, import.meta.url));

/** How many items the server keeps for clients that were away. */
const KEPT = 100;
/** How long a long poll waits, in milliseconds. */
const LONG_POLL = 25_000;
/** How often a silent event stream says that it is alive. */
const COMMENT = 15_000;
/** Tells a client on a stream that it was away for too long. */
const MISSED = JSON.stringify({ missed: true });

const items = [];
const feed = new EventEmitter().setMaxListeners(0);

/** Adds an item every second on average. */
function giveBirth(n) {
  items.push({ n, at: new Date().toISOString() });
  if (items.length > KEPT) items.shift();
  feed.emit("item");
  setTimeout(giveBirth, Math.random() * 2_000, n + 1);
}

/** The items that a client has not seen, and whether some of them are no longer there. */
function unseen(after) {
  const found = items.filter(({ n }) => after === undefined || n > after);
  const missed = after !== undefined && found.length > 0 && found[0].n - 1 > after;
  return { found, missed, last: found.at(-1)?.n ?? after };
}

/** Tells `send` what there is, and then what comes, until `source` has closed. */
function follow(source, after, send) {
  const tell = () => {
    const { found, missed, last } = unseen(after);
    if (missed) send(MISSED);
    for (const item of found) send(JSON.stringify(item), item.n);
    after = last;
  };
  tell();
  feed.on("item", tell);
  source.on("close", () => feed.off("item", tell));
}

const ways = {
  "/": (request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8").end(page);
  },
  "/items": (request, response, after) => array(response, unseen(after)),
  "/next": async (request, response, after) => {
    const gone = new AbortController();
    // Not AbortSignal.timeout inside AbortSignal.any: Node 20 may collect it before its time.
    const late = setTimeout(() => gone.abort(), LONG_POLL);
    response.on("close", () => {
      clearTimeout(late);
      gone.abort();
    });
    try {
      const { signal } = gone;
      while (unseen(after).found.length === 0) await once(feed, "item", { signal });
      array(response, unseen(after));
    } catch {
      response.writeHead(204).end();
    }
  },
  "/events": (request, response, after) => {
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
    });
    const comments = setInterval(() => response.write(":\n\n"), COMMENT);
    response.on("close", () => clearInterval(comments));
    follow(response, after, (data, n) => {
      comments.refresh();
      response.write(`${n === undefined ? "" : `id: ${n}\n`}data: ${data}\n\n`);
    });
  },
  "/request-size": (request, response) => {
    const line = `${request.method} ${request.url} HTTP/1.1\r\n\r\n`;
    // Two bytes after each name, and two after each value.
    const headers = request.rawHeaders.map((text) => text.length + 2);
    response.end(String(headers.reduce((sum, size) => sum + size, line.length)));
  },
};

function array(response, { found, missed }) {
  if (missed) response.setHeader("x-missed", "true");
  response.setHeader("content-type", "application/json").end(JSON.stringify(found));
}

/** Which item a request saw last. Throws what is no number. */
function afterOf(request) {
  const asked = new URL(request.url, "http://x").searchParams.get("after");
  const numbers = [request.headers["last-event-id"], asked ?? undefined];
  for (const text of numbers) {
    if (text !== undefined && !(/^\d+$/.test(text) && BigInt(text) < 2n ** 64n)) throw text;
  }
  const text = numbers.find((text) => text !== undefined);
  return text === undefined ? undefined : Number(text);
}

/** Answers what is wrong with a request, or hands it on with its number. */
function check(request, refuse, next) {
  const way = ways[request.url.split("?", 1)[0]];
  if (!way && !request.url.startsWith("/ws")) return refuse(404);
  if (request.method !== "GET") return refuse(405);
  let after;
  try {
    after = afterOf(request);
  } catch {
    return refuse(400);
  }
  next(way, after);
}

const wss = new WebSocketServer({ noServer: true });
const server = createServer((request, response) => {
  const refuse = (status) => response.writeHead(status).end();
  check(request, refuse, (way, after) =>
    way ? way(request, response, after) : refuse(400),
  );
});
server.on("upgrade", (request, tcp, head) => {
  const refuse = (status) =>
    tcp.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  check(request, refuse, (way, after) =>
    way ? refuse(400) : wss.handleUpgrade(request, tcp, head, (ws) => connect(ws, after)),
  );
});

function connect(ws, after) {
  // Without this listener an error would end the process.
  ws.on("error", () => ws.terminate());
  follow(ws, after, (data) => ws.send(data));
}

setTimeout(giveBirth, Math.random() * 2_000, 1);
server.listen(Number(port), host, () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}`);
});
