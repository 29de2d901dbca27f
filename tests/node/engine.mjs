// What surrounds the engine: a gate, headers, and a list of those it did not serve.
import { log } from "./process.mjs";
import { answer } from "./router.mjs";

/** How many refusals are remembered. */
const REMEMBERED = 100;

/** The last refusals, oldest first. */
const refusals = [];

/** Asked once for each session, after the engine's own checks. */
export function gate(request, callback) {
  const { searchParams } = new URL(request.url, "http://localhost");
  callback(null, searchParams.get("refuse") !== "1");
}

/** Marks every response of a session, and the first one twice; notes every refusal. */
export function watch(engine) {
  engine.on("headers", (headers) => (headers["x-workbook"] = "1"));
  engine.on("initial_headers", (headers) => (headers["x-workbook-session"] = "new"));
  engine.on("connection_error", ({ code, message }) => {
    log("refused by the engine", { code, message });
    refusals.push({ code, message });
    if (refusals.length > REMEMBERED) refusals.shift();
  });
}

/** `GET /connection-errors`. */
export function listRefusals(request, response) {
  answer(response, 200, JSON.stringify(refusals), { "content-type": "application/json" });
}
