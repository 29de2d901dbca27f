// Nothing is missed: a gap in the numbers is seen, and closed.

/**
 * Watches the numbers of a room's messages.
 *
 * `last()` is the number up to which nothing is missing, `show(message)` shows a message.
 * `fetchAfter(seq)` gets the first messages after a number, and throws an error whose
 * `final` is true if there is no point in asking again.
 */
export function catchUp({ last, show, fetchAfter, pause = 1000 }) {
  /** Messages that came too early: those before them are missing. */
  const early = new Map();
  let wanted = 0;
  let running = false;

  /** The server says that this is the number of the last message. */
  function reach(seq) {
    wanted = Math.max(wanted, seq);
    if (!running) close();
  }

  /** A message has come. */
  function hear(message) {
    if (message.seq > last() + 1) early.set(message.seq, message);
    else show(message);
    showEarly();
    reach(message.seq);
  }

  /** One request after the other, until nothing is missing any more. */
  async function close() {
    running = true;
    while (last() < wanted) {
      const before = last();
      try {
        for (const message of await fetchAfter(before)) show(message);
      } catch (error) {
        if (error.final) break;
      }
      showEarly();
      // Whatever the reason: who asks again at once asks a server that is in trouble.
      if (last() === before) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    running = false;
  }

  function showEarly() {
    for (let message; (message = early.get(last() + 1)); ) show(message);
    for (const seq of early.keys()) if (seq <= last()) early.delete(seq);
  }

  return { hear, reach };
}
