// No event is met with silence: how one is answered, and how one is refused.

/** The answer that one event is owed. */
class Answer {
  #socket;
  #event;
  /** Present if the client asked for an acknowledgement. */
  #ack;

  constructor(socket, event, ack) {
    this.#socket = socket;
    this.#event = event;
    this.#ack = ack;
  }

  /** Acknowledges the event, if the client asked for that. */
  accept(answer) {
    this.#ack?.(answer);
  }

  /** Tells the client in one sentence why the event was refused. */
  reject(error) {
    if (this.#ack) this.#ack({ ok: false, error });
    else this.#socket.emit("rejected", { event: this.#event, error });
  }
}

/** Calls `handler(answer, ...values)` for every `event`. */
export function on(socket, event, handler) {
  socket.on(event, (...values) => handler(answerFor(socket, event, values), ...values));
}

/** Calls `handler(answer, ...values)` for every event that has no handler of its own. */
export function onFallback(socket, handler) {
  socket.onAny((event, ...values) => {
    if (socket.listenerCount(event) === 0)
      handler(answerFor(socket, event, values), ...values);
  });
}

/** The acknowledgement, if the client asked for one, comes as the last of the values. */
export function answerFor(socket, event, values) {
  const ack = typeof values.at(-1) === "function" ? values.pop() : undefined;
  return new Answer(socket, event, ack);
}
