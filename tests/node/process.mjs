// What every server program needs and no chapter is about: logs, an address, signals.
import { once } from "node:events";
import { isIPv6 } from "node:net";

/** Logs to standard error. A field that is text is quoted: it cannot forge a line. */
export function log(message, fields = {}) {
  const all = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  console.error(`${new Date().toISOString()}  INFO ${message}${all.join("")}`);
}

/** Listens on `HOST` and `PORT`. Only this machine can connect unless `HOST` says otherwise. */
export async function listen(server) {
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
  console.log(`listening on http://${isIPv6(address) ? `[${address}]` : address}:${chosen}`);
}

function refuse(sentence) {
  console.error(`Error: ${sentence}`);
  process.exit(1);
}

/** Resolves when the process is asked to stop. Call it early: until then a signal kills. */
export function stopSignal() {
  return Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}
