// An official Socket.IO client, driven by lines of JSON: commands come in on standard input,
// what the client sees goes out on standard output.
import { createInterface } from "node:readline";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
process.on("uncaughtException", (error) => say({ on: "crash", message: String(error.stack) }));

/** Binary travels through JSON as {"$binary": "hex"}, both ways. */
const encode = (value) =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? { $binary: Buffer.from(value.buffer ?? value, value.byteOffset, value.byteLength).toString("hex") }
    : Array.isArray(value) ? value.map(encode)
    : value && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encode(inner)]))
      : value;
const decode = (value) =>
  Array.isArray(value) ? value.map(decode)
    : value && typeof value === "object"
      ? "$binary" in value ? Buffer.from(value.$binary, "hex")
        : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decode(inner)]))
      : value;

let socket;
/** The namespaces of the one connection, by name. Commands without a name mean the first. */
const sockets = new Map();

/** Tells what the transport does, from the moment an engine exists. */
function watchEngine(engine) {
  if (!engine || engine.watched) return;
  engine.watched = true;
  engine.on("upgrade", (transport) => say({ on: "upgrade", transport: transport.name }));
  engine.on("packet", ({ type }) => type === "ping" && say({ on: "ping" }));
}

/** Reports what happens to one namespace. */
function follow(socket) {
  const { nsp } = socket;
  sockets.set(nsp, socket);
  const engine = () => socket.io.engine;
  socket.on("connect", () =>
    say({ on: "connect", nsp, id: socket.id, session: engine().id, transport: engine().transport.name }));
  socket.on("disconnect", (reason) => say({ on: "disconnect", nsp, reason }));
  socket.on("connect_error", (error) => say({ on: "connect_error", nsp, message: error.message, data: error.data }));
  socket.onAny((event, ...args) => say({ on: "event", nsp, event, args: encode(args) }));
}

const commands = {
  async connect({ version, url, options }) {
    const client = await import(`socket.io-client-${version}`);
    say({ on: "started" });
    socket = client.io(url, { forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 500, ...options });
    const manager = socket.io;
    watchEngine(manager.engine);
    socket.on("connect", () => watchEngine(manager.engine));
    follow(socket);
  },
  /** Connects to one more namespace over the same connection, or again to one it has left. */
  join({ namespace }) {
    if (sockets.has(namespace)) sockets.get(namespace).connect();
    else follow(socket.io.socket(namespace));
  },
  emit({ namespace, event, args, ack }) {
    const target = namespace === undefined ? socket : sockets.get(namespace);
    const values = decode(args);
    if (ack === undefined) target.emit(event, ...values);
    else target.emit(event, ...values, (...answer) => say({ on: "ack", ack, args: encode(answer) }));
  },
  /** Acknowledges every `event` with `answer`. */
  acknowledge({ event, answer }) {
    socket.on(event, (...args) => args.at(-1)(...decode(answer)));
  },
  disconnect({ namespace }) { (namespace === undefined ? socket : sockets.get(namespace)).disconnect(); },
  reconnect() { socket.connect(); },
  /** Cuts the connection as a broken network would, without a close packet. */
  cut() { socket.io.engine.transport.ws?.terminate?.() ?? socket.io.engine.close(); },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  await commands[command.do](command);
}
process.exit(0);
