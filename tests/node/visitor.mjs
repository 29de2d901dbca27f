// Who is asking: one signed cookie, read for pages and for handshakes.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { log, refuse } from "./process.mjs";
import { answer } from "./router.mjs";

const COOKIE = "visitor";
/** With a new key every cookie from before the start is a forged one. */
const key = cookieKey();

function cookieKey() {
  const key = process.env.COOKIE_KEY;
  if (key === undefined) return randomBytes(64);
  // Not even a bad key belongs in a message.
  if (Buffer.byteLength(key) < 64) refuse("COOKIE_KEY must be at least 64 bytes long");
  return key;
}

function sign(id) {
  return createHmac("sha256", key).update(`${COOKIE}=${id}`).digest("base64url");
}

/** The visitor whose cookie came with a request or a handshake, or null. */
export function visitorOf({ headers }) {
  const cookies = (headers.cookie ?? "").split(";").map((cookie) => cookie.trim());
  const value =
    cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ??
    "";
  const [id, signature = ""] = value.split(".");
  const [given, good] = [signature, sign(id)].map(Buffer.from);
  return given.length === good.length && timingSafeEqual(given, good) ? id : null;
}

/** `GET /`: the page, and a cookie for those who have no good one. */
export function withCookie(page) {
  return (request, response) => {
    if (visitorOf(request) === null) {
      const id = randomUUID();
      log("a new visitor", { visitor: id });
      // Scripts cannot read it, and other sites' pages cannot use it to connect.
      response.setHeader(
        "set-cookie",
        `${COOKIE}=${id}.${sign(id)}; HttpOnly; SameSite=Lax; Path=/`,
      );
    }
    page(request, response);
  };
}

/** `GET /whoami`. */
export function whoAmI(request, response) {
  answer(response, 200, JSON.stringify({ visitor: visitorOf(request) }), {
    "content-type": "application/json",
  });
}
