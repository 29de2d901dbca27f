// Packets in order: middleware for every event, an error listener, once, off and catch-all.
//
// Run:  npm ci && node chapter-5.mjs
// Try:  open http://127.0.0.1:8005, take a hundred steps at once, and ask for the list.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "socket.io";
import { answerFor } from "./answer.mjs";
import { guard } from "./checks.mjs";
import { gate, listRefusals, watch } from "./engine.mjs";
import { log, serve } from "./process.mjs";
import { browserKit, file, router } from "./router.mjs";
import { visitorOf, whoAmI, withCookie } from "./visitor.mjs";

/** The most steps that are remembered for each socket. */
const MOST = 100_000;

const app = router({
  "/": { GET: withCookie(await file("5.4-packets/static/index.html", "text/html")) },
  "/whoami": { GET: whoAmI },
  "/connection-errors": { GET: listRefusals },
  ...browserKit,
});

/** What a socket does with its events. */
const LISTENERS = {
  role: (answer, { role }) => answer.accept({ ok: true, role }),
  whoami: (answer, { visitor }) => answer.accept({ ok: true, visitor }),
  secret: onSecret,
  step: onStep,
  steps: (answer, { steps }) => answer.accept({ ok: true, steps }),
  seen: (answer, { seen }) => answer.accept({ ok: true, seen }),
  gift: onGift,
  mute: onMute,
  unmute: onUnmute,
};

function onConnect(socket) {
  const namespace = socket.nsp.name;
  const { role } = socket.data;
  log("connected", { namespace, role, transport: socket.conn.transport.name });
  socket.on("disconnect", () => log("disconnected", { namespace }));
  const conversation = {
    role,
    visitor: visitorOf(socket.request),
    steps: [],
    seen: 0,
    listeners: new Map(Object.entries(LISTENERS)),
    over: false,
  };
  inOrder(socket, async (answer, event, values) => {
    // What waits when the client is sent away is not handled.
    if (conversation.over) return;
    conversation.seen += 1;
    try {
      keepTheSecret(conversation, event);
      const listener = conversation.listeners.get(event) ?? onUnknown;
      await listener(answer, conversation, ...values);
    } catch (error) {
      onError(answer, error);
      conversation.over = true;
      socket.disconnect();
    }
  });
  socket.emit("welcome", { role });
}

/** Calls `handle` for each event when it is through with the one before. Node would not wait. */
function inOrder(socket, handle) {
  let last = Promise.resolve();
  socket.onAny((event, ...values) => {
    const answer = answerFor(socket, event, values);
    last = last.then(() => handle(answer, event, values));
  });
}

/** The middleware of every event: `secret` is for the admin. */
function keepTheSecret({ role }, event) {
  if (event === "secret" && role !== "admin") throw new Error("unauthorized event");
}

/** The error listener: an event that did not come to its end is answered for. */
function onError(answer, error) {
  log("an event was stopped", { error: error.message });
  answer.reject(error.message);
}

/** Everybody who gets here may know: the middleware has seen to that. */
function onSecret(answer) {
  log("the secret is told");
  answer.accept({ ok: true, text: "there is no secret" });
}

/** Takes a step, which takes a moment. */
async function onStep(answer, { steps }, step) {
  if (!Number.isInteger(step) || step < 0 || step > 0xffff_ffff) {
    return answer.reject("step takes a whole number from 0 to 4294967295");
  }
  await sleep(Math.random() * 3);
  if (steps.length === MOST) return answer.reject("there were too many steps before");
  steps.push(step);
  answer.accept({ ok: true });
}

/** Runs once. After that there is no such event. */
function onGift(answer, { listeners }) {
  listeners.delete("gift");
  answer.accept({ ok: true, text: "a cookie" });
}

/** Removes the listener of `step`. */
function onMute(answer, { listeners }) {
  listeners.delete("step");
  answer.accept({ ok: true });
}

/** Puts it back. */
function onUnmute(answer, { listeners }) {
  listeners.set("step", onStep);
  answer.accept({ ok: true });
}

/** Runs for every event that has no listener of its own. */
function onUnknown(answer) {
  answer.reject("there is no such event");
}

const server = createServer(app);
// The limits are the library's own: a million bytes a message, a ping every 25 s, and
// 20 s to answer it.
const io = new Server(server, { allowRequest: gate });
watch(io.engine);
guard(io, onConnect);
await serve(server, () => io.close());
