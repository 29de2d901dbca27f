// Who gets in: the checks of each namespace.
import { createHash, timingSafeEqual } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { log } from "./process.mjs";

/** Who brings the first is a guest, who brings the second is the admin. */
const GUEST_TOKEN = "guest-token";
const ADMIN_TOKEN = "admin-token";
/** How long `/slow` takes to make up its mind, in milliseconds. */
const SLOW_CHECK = 1_000;
/** All that a client is told who is refused at `/busy`. `err.data` could carry the rest. */
const BUSY = JSON.stringify({
  message: "not authorized",
  data: { content: "Please retry later" },
});

/** Namespaces share a connection, but no check and no identity. */
export function guard(io, prepare) {
  io.use(requireToken).use(requireKnownToken).on("connection", prepare);
  io.of("/admin").use(requireAdmin).on("connection", prepare);
  io.of("/busy").use(refuse);
  io.of("/slow").use(takeTime).on("connection", prepare);
}

/** The first check of `/`: is there a token at all? */
function requireToken(socket, next) {
  if (typeof socket.handshake.auth?.token !== "string") {
    log("no token", { check: 1 });
    return next(new Error("invalid"));
  }
  log("a token", { check: 1 });
  next();
}

/** The second check of `/`: is it one of ours? */
function requireKnownToken(socket, next) {
  const role = roleOf(socket.handshake.auth.token);
  if (!role) {
    log("an unknown token", { check: 2 });
    return next(new Error("invalid"));
  }
  log("a known token", { check: 2, role });
  socket.data.role = role;
  next();
}

/** Tells nobody by the time it takes how much of a guess was right. */
function roleOf(token) {
  const hash = (text) => createHash("sha256").update(text).digest();
  const is = (known) => timingSafeEqual(hash(token), hash(known));
  return is(GUEST_TOKEN) ? "guest" : is(ADMIN_TOKEN) ? "admin" : undefined;
}

/** The check of `/admin`. */
function requireAdmin(socket, next) {
  const token = socket.handshake.auth?.token;
  const role = typeof token === "string" ? roleOf(token) : undefined;
  if (role !== "admin") {
    log("not the admin", { role });
    return next(new Error("forbidden"));
  }
  socket.data.role = role;
  next();
}

/** The check of `/busy`: nobody, for now. */
function refuse(socket, next) {
  next(new Error(BUSY));
}

/** The check of `/slow` lets everybody in who is still there after some time. */
async function takeTime(socket, next) {
  log("a slow check begins");
  await sleep(SLOW_CHECK);
  log("a slow check ends");
  socket.data.role = "guest";
  next();
}
