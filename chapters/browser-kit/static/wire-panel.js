// The wire panel: what travels between this page and the server, in plain sight.
//
//   <wire-panel></wire-panel>
//   <script src="/socket.io/socket.io.js"></script>
//   <script src="/workbook/wire-panel.js"></script>
//   <script>
//     const socket = io();
//     document.querySelector("wire-panel").watch(socket);
//   </script>
//
// watch(socket)    call it right after io(), for every namespace whose fate you want to
//                  see; sockets of one manager share one transport and one headline
// unwatch(socket)  forgets a socket that the page has replaced by another
//
// The panel listens to public events of the official client and changes nothing: without
// it the page works the same. It reads packets as they pass the Engine.IO socket, so that
// it shows what is on the wire and not what somebody meant to send. Session ids are keys
// to a connection; they are masked everywhere, because screenshots travel far.
"use strict";
{
  /** Rows kept, in the table and in the queue before it. */
  const KEPT = 500;
  /** Characters of a payload that a row shows, and that are kept to be opened. */
  const SHORT = 160;
  const LONG = 20_000;
  /** Milliseconds between two renderings: a reader sees no difference, the page does. */
  const PACE = 60;
  const HIDDEN = "••••";
  /** Tells our text for an attachment from a string of the page that reads the same. */
  const MARK = `attachment-${Math.random().toString(36).slice(2)}-`;

  const ENGINE_TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
  // By Socket.IO packet type. 5 and 6 are event and ack with binary attachments.
  const KINDS = ["connect", "disconnect", "event", "ack", "connect_error", "event", "ack"];
  const WAYS = { in: "← in", out: "→ out", here: "· here" };

  // ---- Session ids -----------------------------------------------------------------

  const secrets = new Set();

  function learn(id) {
    if (typeof id !== "string" || id.length < 8) return;
    secrets.add(id);
    if (secrets.size > 50) secrets.delete(secrets.values().next().value);
  }

  /** For the two packets that announce ids: Engine.IO open and Socket.IO CONNECT. */
  function learnFrom(json) {
    for (const [, id] of json.matchAll(/"[sp]id"\s*:\s*"([^"]*)"/g)) learn(id);
    return json.replace(/("[sp]id"\s*:\s*")[^"]*/g, `$1${HIDDEN}`);
  }

  function mask(text) {
    for (const id of secrets) text = text.replaceAll(id, HIDDEN);
    return text.replace(/\b(sid=)[^&\s"]+/g, `$1${HIDDEN}`);
  }

  // ---- Packets as text -------------------------------------------------------------

  const sizeOf = (data) => data.byteLength ?? data.size ?? 0;

  /** As much as is kept. A plain slice would hold the whole message in memory. */
  function clip(text) {
    if (text.length <= LONG) return text;
    const start = new TextEncoder().encode(text.slice(0, LONG));
    return `${new TextDecoder().decode(start)}\n… of ${text.length} characters`;
  }

  /** `51-/chat,7["name",…]` → type 5, 1 attachment, namespace /chat, ack id 7, JSON. */
  function decode(text) {
    const found = /^([0-6])(?:(\d+)-)?(?:(\/[^,]*)(?:,|$))?(\d+)?/.exec(text);
    if (!found) return null;
    const [header, type, attachments, nsp, id] = found;
    return { kind: KINDS[type], attachments: Number(attachments ?? 0), nsp: nsp ?? "/", id,
      json: text.slice(header.length) };
  }

  /** The event's name and its arguments as text, binary ones as `<12 bytes>`. */
  function content({ kind, json }, sizes) {
    // A very large payload is not worth parsing twice; its beginning will do.
    if (json.length > 5 * LONG) {
      return { name: /^\["([^"]*)"/.exec(json)?.[1] ?? "", text: json };
    }
    try {
      // Attachments stand in the JSON as {"_placeholder":true,"num":0}.
      const sized = (_, part) =>
        part?._placeholder === true ? `${MARK}${sizes[part.num] ?? "?"}` : part;
      const value = JSON.parse(json || "[]", sizes.length ? sized : undefined);
      const args = Array.isArray(value) ? value : [value];
      const name = kind === "event" ? String(args.shift()) : "";
      const text = args.map((arg) => JSON.stringify(arg)).join(", ");
      return { name, text: text.replace(new RegExp(`"${MARK}(.*?)"`, "g"), "<$1 bytes>") };
    } catch {
      return { name: "", text: json };
    }
  }

  function duration(ms) {
    if (ms < 1000) return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
    return `${Number((ms / 1000).toFixed(1))} s`;
  }

  /** Why a connection failed, as far as a browser tells. */
  function whyFailed(error) {
    const { description, context } = error;
    const parts = [error.message];
    if (error.data !== undefined) parts.push(JSON.stringify(error.data));
    // The XMLHttpRequest of a refused handshake, with the server's own words.
    if (description > 0) parts.push(`HTTP ${description}`, context?.responseText ?? "");
    return parts.filter(Boolean).join(", ");
  }

  // ---- One connection --------------------------------------------------------------

  /** A manager, its sockets and the engine that currently carries them. */
  class Link {
    sockets = new Map(); // socket → functions that remove our listeners
    #offManager = [];
    #offEngine = [];
    #engine = null;
    #foreign = false; // another parser than the default one: packets cannot be read
    #waiting = {}; // way → a packet whose binary attachments are still to come
    #asked = new Map(); // acknowledgements awaited, by way, namespace and id
    state = "connecting";
    transport = "";
    #since = 0; // when the connection was begun; 0: nobody saw it
    #disconnected = ""; // why a socket lost its connection, in the client's words
    #ping = null; // { at, left }: the last heartbeat
    #interval = 0;
    #gaveUp = false;
    #attempts = 0;
    #returns = 0;

    constructor(manager, number, panel) {
      Object.assign(this, { manager, number, panel });
      const on = subscribe(manager, this.#offManager);
      on("open", () => this.#onOpen());
      on("close", (reason) => this.#become("closed", reason));
      on("error", (error) => {
        // Before the handshake is over this is the end of an attempt.
        if (this.state !== "connecting") return;
        this.#disconnected = "";
        this.#become("closed", error.message);
      });
      on("reconnect_attempt", (attempt) => {
        this.#attempts += 1;
        this.#become("connecting");
        this.#here("reconnect", `attempt ${attempt}`);
        // The manager makes its new engine right after this event; a microtask later
        // it exists and nothing has arrived yet.
        queueMicrotask(() => this.hook());
      });
      on("reconnect", (attempt) => {
        this.#returns += 1;
        this.#here("reconnect", "succeeded", `after attempt ${attempt}`);
      });
      on("reconnect_failed", () => {
        this.#gaveUp = true;
        this.#here("reconnect", "gave up");
      });
      this.hook();
    }

    add(socket) {
      this.hook();
      if (this.sockets.has(socket)) return;
      const off = [];
      this.sockets.set(socket, off);
      learn(socket.id);
      const on = subscribe(socket, off);
      on("connect", () => this.panel.refresh());
      on("disconnect", (reason, details) => {
        this.#disconnected = reason;
        // A WebSocket tells its close code, the browser's reason for the reason.
        const code = details?.context?.code;
        let text = details?.message ? whyFailed(details) : details?.description ?? "";
        if (code) text += `, close code ${code}`;
        this.#here("disconnect", reason, text, socket.nsp);
      });
      on("connect_error", (error) => {
        // A refusal by the namespace was on the wire, and is in the table already.
        if (!socket.active && !this.#foreign) return;
        this.#here("connect_error", "", whyFailed(error), socket.nsp);
      });
      // Needed for other parsers only; the default one is read from the packets.
      const spy = (way) => guarded((name, ...args) => {
        if (!this.#foreign) return;
        const text = args.map((arg) =>
          ArrayBuffer.isView(arg) || arg instanceof ArrayBuffer
            ? `<${sizeOf(arg)} bytes>` : JSON.stringify(arg)).join(", ");
        this.#row({ way, kind: "event", nsp: socket.nsp, name, text });
      });
      const [incoming, outgoing] = [spy("in"), spy("out")];
      socket.onAny(incoming).onAnyOutgoing(outgoing);
      off.push(() => socket.offAny(incoming).offAnyOutgoing(outgoing));
    }

    remove(socket) {
      this.sockets.get(socket)?.forEach((off) => off());
      this.sockets.delete(socket);
      if (this.sockets.size === 0) {
        for (const off of [...this.#offManager, ...this.#offEngine]) off();
      }
    }

    /** Listens to the manager's current engine. Every new connection has a new one. */
    hook() {
      const engine = this.manager.engine;
      if (!engine || engine === this.#engine) return;
      for (const off of this.#offEngine.splice(0)) off();
      this.#engine = engine;
      this.#since = performance.now();
      this.#ping = null;
      this.#gaveUp = false;
      this.#waiting = {};
      this.#asked.clear();
      this.transport = engine.transport?.name ?? "";

      let opened = engine.readyState === "open";
      const on = subscribe(engine, this.#offEngine);
      on("open", () => { opened = true; });
      on("packet", (packet) => this.#packet("in", packet));
      on("packetCreate", (packet) => this.#packet("out", packet));
      on("upgrading", ({ name }) => {
        // The client tells of the probe (2probe, 3probe) only now that it succeeded.
        this.#here("transport", "upgrading", `${name} answered the probe`);
      });
      on("upgrade", ({ name }) => {
        const took = this.#took();
        this.transport = `${name}, upgraded from ${this.transport}${took}`;
        this.#here("transport", "upgraded", `to ${name}${took}`);
      });
      on("upgradeError", (error) => {
        this.#here("transport", "upgrade failed", whyFailed(error));
      });
      on("drain", () => {
        // The write buffer is empty, so that our pong, too, has left.
        if (this.#ping && this.#ping.left === undefined) {
          this.#ping.left = performance.now() - this.#ping.at;
          this.panel.refresh();
        }
      });
      on("close", (reason) => {
        if (!opened) return; // a connect_error tells what happened
        this.#become("closed", reason);
        this.#here("transport", "closed", reason);
      });

      if (opened) {
        learn(engine.id);
        this.#since = 0;
        this.#here("engine", "open", "the handshake was over before the panel listened");
        this.#become("open");
      } else {
        this.#become("connecting");
      }
    }

    #onOpen() {
      this.hook();
      this.#disconnected = "";
      this.#become("open");
      this.#here("transport", "opened", `${this.transport}${this.#took()}`);
    }

    /** The time since the connection was begun, if the panel was there. */
    #took() {
      return this.#since ? ` after ${duration(performance.now() - this.#since)}` : "";
    }

    #packet(way, { type, data }) {
      if (type === "message") return this.#message(way, data);
      if (type === "open") {
        this.#interval = JSON.parse(data).pingInterval ?? 0;
        data = learnFrom(data);
      }
      if (type === "ping" && way === "in") this.#ping = { at: performance.now() };
      const raw = [`${ENGINE_TYPES.indexOf(type)}${data ?? ""}`];
      const beat = type === "ping" || type === "pong";
      this.#row({ way, kind: "engine", name: type, text: "", raw, beat });
    }

    #message(way, data) {
      const waiting = this.#waiting[way];
      if (typeof data === "string") {
        const packet = decode(data);
        const raw = [clip(`4${packet?.kind === "connect" ? learnFrom(data) : data}`)];
        if (!packet) return this.#row({ way, kind: "packet", name: "", text: "", raw });
        if (packet.attachments) this.#waiting[way] = { packet, raw, sizes: [] };
        else this.#decoded(way, packet, raw, []);
      } else if (waiting) {
        waiting.raw.push(`<${sizeOf(data)} bytes>`);
        waiting.sizes.push(sizeOf(data));
        if (waiting.sizes.length < waiting.packet.attachments) return;
        this.#waiting[way] = null;
        this.#decoded(way, waiting.packet, waiting.raw, waiting.sizes);
      } else {
        this.#foreign = true;
        this.#row({ way, kind: "packet", name: "binary", text: `<${sizeOf(data)} bytes>` });
      }
    }

    #decoded(way, packet, raw, sizes) {
      const { kind, nsp, id } = packet;
      const entry = { way, kind, nsp, raw, ...content(packet, sizes) };
      if (kind === "connect") entry.text = learnFrom(entry.text);
      if (kind === "event" && id) {
        entry.note = "waits for an answer";
        this.#asked.set(`${way} ${nsp} ${id}`, { entry, at: performance.now() });
        if (this.#asked.size > KEPT) this.#asked.delete(this.#asked.keys().next().value);
      }
      if (kind === "ack") {
        // The question went the other way, under the same number.
        const key = `${way === "in" ? "out" : "in"} ${nsp} ${id}`;
        const asked = this.#asked.get(key);
        if (asked) {
          this.#asked.delete(key);
          const took = duration(performance.now() - asked.at);
          entry.name = asked.entry.name;
          entry.note = `answer after ${took}`;
          asked.entry.note = `answered after ${took}`;
          this.panel.changed(asked.entry);
        }
      }
      this.#row(entry);
    }

    #become(state, reason = "") {
      Object.assign(this, { state, reason });
      this.panel.refresh();
    }

    #here(kind, name, text = "", nsp = "") {
      this.#row({ way: "here", kind, nsp, name, text });
    }

    #row(entry) {
      // The same object goes on: a question gets its note when the answer is here.
      const rest = { link: this, at: new Date(), nsp: "", raw: [], note: "" };
      this.panel.add(Object.assign(entry, { ...rest, ...entry, text: clip(entry.text) }));
    }

    /** What the headline says: [term, text] pairs. */
    headline() {
      const open = this.state === "open";
      const sockets = [...this.sockets.keys()];
      const again = this.manager.reconnection() && !this.#gaveUp &&
        sockets.some((socket) => socket.active);
      const lost = again ? "◌ waiting to reconnect" : "○ disconnected";
      const state = open ? "● connected"
        : this.state === "connecting" ? "◌ connecting"
        : `${lost}: ${this.#disconnected || this.reason}`;
      const inside = sockets.filter((socket) => socket.connected).map(({ nsp }) => nsp);
      let beat = "none yet";
      if (this.#ping) {
        const { at, left } = this.#ping;
        const ago = Math.max(0, Math.round((performance.now() - at) / 1000));
        const pong = left === undefined ? "is on its way" : `left after ${duration(left)}`;
        beat = `ping ${ago} s ago, our pong ${pong}`;
      }
      if (this.#interval) beat += `; one every ${duration(this.#interval)}`;
      return [
        ["State", state],
        ["Transport", open ? this.transport : "none"],
        ["Namespaces", inside.join("  ") || "none"],
        ["Heartbeat", open ? beat : "none"],
        ["Reconnects", `attempts: ${this.#attempts}, successes: ${this.#returns}`],
      ];
    }
  }

  /** The client calls listeners in the middle of its work: our fault stays ours. */
  function guarded(listener) {
    return (...args) => {
      try {
        listener(...args);
      } catch (error) {
        console.error("wire panel:", error);
      }
    };
  }

  function subscribe(emitter, offs) {
    return (event, listener) => {
      const ours = guarded(listener);
      emitter.on(event, ours);
      offs.push(() => emitter.off(event, ours));
    };
  }

  // ---- The element -----------------------------------------------------------------

  /** Builds an element; strings among the children become text, never markup. */
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  /** Text that is opened on demand when it is long. */
  function foldable(text, className) {
    if (text.length <= SHORT) return el("span", { class: className }, text);
    const size = text.length > LONG ? `more than ${LONG}` : text.length;
    const start = `${text.slice(0, SHORT)}… (${size} characters)`;
    const details = el("details", { class: className }, el("summary", {}, start));
    // The whole text is put in when somebody asks for it: most rows are never opened.
    const fill = () => details.append(el("pre", {}, text));
    details.addEventListener("toggle", fill, { once: true });
    return details;
  }

  const COLUMNS = ["Time", "Way", "Kind", "Namespace", "Name", "Payload"];

  class WirePanel extends HTMLElement {
    #links = new Map(); // manager → Link
    #heads = new Map(); // Link → its headline, a <dl>
    #numbers = 0;
    #queue = [];
    #changed = new Set();
    #paused = false;
    #timer = 0;
    #ticker = 0;
    #view;

    constructor() {
      super();
      const check = (text, name) => {
        const box = el("input", { type: "checkbox", checked: "" });
        box.addEventListener("change", () => log.classList.toggle(name, !box.checked));
        return el("label", {}, box, ` ${text}`);
      };
      const pause = el("button", { type: "button" }, "Pause");
      const clear = el("button", { type: "button" }, "Clear");
      pause.addEventListener("click", () => {
        this.#paused = !this.#paused;
        this.refresh();
      });
      clear.addEventListener("click", () => {
        this.#queue = [];
        rows.replaceChildren();
        this.refresh();
      });

      // Roles are written out: a row that is laid out as a grid loses its own.
      const heads = COLUMNS.map((name) => el("th", { role: "columnheader" }, name));
      const rows = el("tbody", { role: "rowgroup" });
      const table = el("table", { role: "table", "aria-label": "Packets" },
        el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)), rows);
      const empty = el("p", { class: "empty" }, "Nothing has travelled yet.");
      // A log, but not a talking one: a screen reader would never come to an end. The
      // state in the headline is announced instead.
      const log = el("div", { class: "log", role: "log", "aria-live": "off",
        "aria-label": "What travelled", tabindex: "0" }, table, empty);
      const links = el("div", { class: "links" });
      const alert = el("p", { class: "alert", role: "alert", hidden: "" });
      const bar = el("div", { class: "bar" }, el("h2", {}, "On the wire"),
        check("Heartbeats", "no-beats"), check("Raw packets", "no-raw"), pause, clear);
      this.#view = { alert, links, rows, log, empty, pause };

      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      root.append(bar, alert, links, log);
    }

    connectedCallback() {
      // `socket.connect()` after `socket.disconnect()` makes an engine without an event
      // before its handshake is over. Mostly a click asked for it; the engine exists when
      // the click has come up here, and its first packet is still far away.
      for (const event of ["click", "submit", "change"]) {
        window.addEventListener(event, this.#hookAll);
      }
      this.#ticker = setInterval(() => this.refresh(), 1000);
      if (document.readyState === "complete") this.#askForClient();
      else window.addEventListener("load", () => this.#askForClient(), { once: true });
      this.refresh();
    }

    disconnectedCallback() {
      for (const event of ["click", "submit", "change"]) {
        window.removeEventListener(event, this.#hookAll);
      }
      clearInterval(this.#ticker);
      // An element that only moves within the page is back before the microtask runs.
      queueMicrotask(() => {
        if (this.isConnected) return;
        for (const link of this.#links.values()) {
          for (const socket of [...link.sockets.keys()]) this.unwatch(socket);
        }
      });
    }

    /** Shows what a socket of the official client sends and receives. */
    watch(socket) {
      let link = this.#links.get(socket.io);
      if (!link) {
        link = new Link(socket.io, ++this.#numbers, this);
        this.#links.set(socket.io, link);
        const head = el("dl", {});
        for (const [term] of link.headline()) {
          const live = term === "State" ? { role: "status" } : {};
          const value = el("dd", {}, el("span", live));
          head.append(el("div", {}, el("dt", {}, term), value));
        }
        this.#heads.set(link, head);
        this.#view.links.append(head);
      }
      link.add(socket);
      this.refresh();
    }

    /** Forgets a socket; its rows stay. */
    unwatch(socket) {
      const link = this.#links.get(socket.io);
      if (!link) return;
      link.remove(socket);
      if (link.sockets.size > 0) return;
      this.#heads.get(link).remove();
      this.#heads.delete(link);
      this.#links.delete(socket.io);
      this.refresh();
    }

    /** For Link: one more row. */
    add(entry) {
      this.#queue.push(entry);
      if (this.#queue.length > KEPT) this.#queue.shift();
      this.refresh();
    }

    /** For Link: a row has a new note. */
    changed(entry) {
      if (entry.row) this.#changed.add(entry);
    }

    /** Renders soon, once for everything that happens until then. */
    refresh() {
      this.#timer ||= setTimeout(() => requestAnimationFrame(() => {
        this.#timer = 0;
        this.#render();
      }), PACE);
    }

    #hookAll = () => {
      for (const link of this.#links.values()) link.hook();
    };

    #render() {
      const { rows, log, empty, pause } = this.#view;
      for (const [link, head] of this.#heads) {
        link.headline().forEach(([, text], index) => {
          const value = head.children[index].querySelector("span");
          const number = index === 0 && this.#links.size > 1 ? `#${link.number} ` : "";
          const shown = mask(number + text);
          // Untouched text is not announced again.
          if (value.textContent !== shown) value.textContent = shown;
        });
        head.dataset.state = link.state;
      }
      for (const entry of this.#changed) {
        entry.row.querySelector(".note").textContent = entry.note;
      }
      this.#changed.clear();

      const waiting = this.#queue.length;
      const resume = waiting ? `Resume (${waiting})` : "Resume";
      pause.textContent = this.#paused ? resume : "Pause";
      if (!this.#paused && waiting) {
        // Who has scrolled up is reading; who is at the bottom wants what comes.
        const atBottom = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
        rows.append(...this.#queue.map((entry) => this.#row(entry)));
        this.#queue = [];
        while (rows.childElementCount > KEPT) rows.firstChild.remove();
        if (atBottom) log.scrollTop = log.scrollHeight;
      }
      empty.hidden = rows.childElementCount > 0;
    }

    #row(entry) {
      const { link, at, way, kind, nsp, name, text, raw, note, beat } = entry;
      const ms = String(at.getMilliseconds()).padStart(3, "0");
      const cells = [`${at.toTimeString().slice(0, 8)}.${ms}`, WAYS[way], kind,
        link.number > 1 ? `#${link.number} ${nsp}` : nsp, mask(name)];
      const payload = el("td", { role: "cell" }, foldable(mask(text), "text"),
        el("span", { class: "note" }, note));
      // What the checkboxes hide: heartbeats, and packets that are only shown raw.
      const hides = beat ? "beat" : kind === "packet" ? "bare" : "";
      if (raw.length) payload.append(foldable(mask(raw.join("  ")), "raw"));
      const about = { role: "row", class: hides, "data-way": way, "data-kind": kind };
      const others = cells.map((cell) => el("td", { role: "cell" }, cell));
      entry.row = el("tr", about, ...others, payload);
      return entry.row;
    }

    /** Without the client file nothing on the page can work: say why, in its words. */
    async #askForClient() {
      if (globalThis.io) return;
      const path = "/socket.io/socket.io.js";
      let sentence;
      try {
        const answer = await fetch(path, { cache: "no-store" });
        // The file is there; the page has its own way to load it.
        if (answer.ok) return;
        sentence = answer.status === 503 ? await answer.text()
          : `${path} is not served: HTTP ${answer.status}.`;
      } catch {
        sentence = `${path} cannot be fetched. Is the server still running?`;
      }
      this.#view.alert.textContent = sentence;
      this.#view.alert.hidden = false;
    }
  }

  const STYLE = `
    :host {
      --ink: #1c2430; --quiet: #55606e; --line: #d5dae1; --paper: #fff; --tint: #f3f5f8;
      --in: #0b6b53; --out: #7a3d00; --bad: #a1121f; --focus: #1d5fd1;
      display: block; container-type: inline-size; color-scheme: light dark;
      color: var(--ink); background: var(--paper); border: 1px solid var(--line);
      border-radius: 10px; overflow: hidden;
      font: 0.875rem/1.45 system-ui, sans-serif;
    }
    @media (prefers-color-scheme: dark) {
      :host {
        --ink: #e4e8ee; --quiet: #a3aebc; --line: #39424e; --paper: #171b21; --tint: #20262e;
        --in: #6fd6b4; --out: #f0b271; --bad: #ff9b9b; --focus: #8ab4ff;
      }
    }
    :host([hidden]), [hidden] { display: none; }
    *, ::before { box-sizing: border-box; }
    .bar { display: flex; flex-wrap: wrap; gap: 0.4rem 0.9rem; align-items: center;
      padding: 0.6rem 0.8rem; }
    h2 { font-size: 1rem; margin: 0; margin-inline-end: auto; }
    label { display: inline-flex; gap: 0.35rem; align-items: center; min-block-size: 1.75rem; }
    input { accent-color: var(--focus); margin: 0; inline-size: 1rem; block-size: 1rem; }
    button { font: inherit; color: inherit; background: var(--tint); cursor: pointer;
      border: 1px solid var(--quiet); border-radius: 6px; padding: 0.15rem 0.7rem;
      min-block-size: 1.75rem; font-variant-numeric: tabular-nums; }
    button:hover { border-color: var(--ink); }
    :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
    .log:focus-visible { outline-offset: -2px; }
    .alert { margin: 0 0.8rem 0.8rem; padding: 0.6rem 0.8rem; color: var(--bad);
      border: 1px solid; border-inline-start-width: 5px; border-radius: 6px; }
    dl { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; margin: 0; padding: 0.5rem 0.8rem;
      background: var(--tint); border-block-start: 1px solid var(--line); }
    dt { font-size: 0.75rem; color: var(--quiet); }
    dd { margin: 0; font-variant-numeric: tabular-nums; white-space: pre-wrap; }
    [role=status] { font-weight: 600; }
    [data-state=open] [role=status] { color: var(--in); }
    [data-state=closed] [role=status] { color: var(--bad); }
    .log { max-block-size: var(--wire-panel-height, 24rem); overflow: auto;
      border-block-start: 1px solid var(--line); overscroll-behavior: contain; }
    .empty { margin: 0; padding: 0.8rem; color: var(--quiet); }
    table, thead, tbody { display: block; }
    tr { display: grid; gap: 0 0.7rem; padding: 0.25rem 0.8rem; align-items: baseline;
      grid-template-columns:
        6.2rem 3.2rem 6.2rem minmax(4.6rem, 0.16fr) minmax(6rem, 0.3fr) 1fr; }
    thead { position: sticky; inset-block-start: 0; background: var(--paper);
      border-block-end: 1px solid var(--line); }
    th, td { padding: 0; text-align: start; min-inline-size: 0; overflow-wrap: anywhere; }
    th { font-size: 0.75rem; font-weight: 500; color: var(--quiet); }
    tbody tr + tr { border-block-start: 1px solid var(--line); }
    td:nth-child(1) { color: var(--quiet); font-variant-numeric: tabular-nums; }
    td:nth-child(5) { font-weight: 600; }
    [data-way=in] td:nth-child(2) { color: var(--in); }
    [data-way=out] td:nth-child(2) { color: var(--out); }
    [data-way=here] { background: var(--tint); }
    [data-kind=disconnect] td:nth-child(3), [data-kind=connect_error] td:nth-child(3) {
      color: var(--bad); font-weight: 600; }
    .text, .raw, pre { font-family: ui-monospace, monospace; font-size: 0.8125rem; }
    .note { color: var(--quiet); font-size: 0.8125rem; }
    .text:not(:empty) + .note:not(:empty)::before { content: " · "; }
    .raw { display: block; color: var(--quiet); }
    summary { cursor: pointer; }
    pre { margin: 0.3rem 0; padding: 0.5rem; max-block-size: 16rem; overflow: auto;
      white-space: pre-wrap; overflow-wrap: anywhere; background: var(--tint);
      border-radius: 6px; }
    .no-raw .raw, .no-raw .bare, .no-beats .beat { display: none; }
    @container (max-width: 44rem) {
      thead { position: absolute; clip-path: inset(50%); inline-size: 1px; block-size: 1px;
        overflow: hidden; }
      tr { display: flex; flex-wrap: wrap; }
      td:nth-child(6) { flex-basis: 100%; }
      td:empty { display: none; }
      dl { display: block; }
      dl div { display: flex; gap: 0.6rem; align-items: baseline; }
      dt { flex: 0 0 5.2rem; }
    }
    @media (prefers-reduced-motion: no-preference) {
      button { transition: border-color 120ms; }
    }
  `;

  customElements.define("wire-panel", WirePanel);
}
