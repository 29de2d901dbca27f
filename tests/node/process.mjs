// What every server program needs and no chapter is about: logs, an address, signals.
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a stopping server waits for its connections, in milliseconds. */
const FAREWELL = 4_000;

/** Who logs: named as in the chapter's own log. */
const TARGET = basename(process.argv[1], ".mjs").replaceAll("-", "_");

/** Logs to standard error. A field that is text is quoted: it cannot forge a line. */
export function log(message, fields = {}) {
  const all = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${JSON.stringify(value)}`,
  );
  console.error(`${new Date().toISOString()}  INFO ${TARGET}: ${message}${all.join("")}`);
}

/** Serves until the process is asked to stop, and then until `close` is through. */
export async function serve(server, close) {
  const stop = stopSignal();
  await listen(server);
  await stop;
  log("stopping");
  // A client that no longer reads would hold up the rest.
  await Promise.race([close(), sleep(FAREWELL)]);
  process.exit();
}

/** Listens on `HOST` and `PORT`: for this machine only, unless `HOST` says otherwise. */
async function listen(server) {
  const { HOST: host = "127.0.0.1", PORT: port = "8005" } = process.env;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    refuse(`PORT must be a number from 0 to 65535, not ${JSON.stringify(port)}`);
  }
  // Without a host Node listens everywhere.
  if (host === "") refuse("HOST must be a name or an address, not empty");
  try {
    await once(server.listen(Number(port), host), "listening");
  } catch (error) {
    refuse(
      error.code === "EADDRINUSE"
        ? `port ${port} on ${host} is taken: stop the other program, or set PORT`
        : `cannot listen on HOST ${JSON.stringify(host)} with PORT ${port}: ${error.message}`,
    );
  }
  const { address, port: chosen } = server.address();
  console.log(
    `listening on http://${isIPv6(address) ? `[${address}]` : address}:${chosen}`,
  );
}

/** Ends a program that cannot start, with one sentence. */
export function refuse(sentence) {
  console.error(`Error: ${sentence}`);
  process.exit(1);
}

/** Resolves when the process is asked to stop. Call it early: until then a signal kills. */
function stopSignal() {
  return Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}
