// The client of /ws/realtime: it keeps its subscriptions through every disconnection, resumes each stream where it was,
// says so when something can't be had again, and hands messages over once per animation frame.

import { CLOSE, HEARTBEAT_SECONDS, UNNAMED_TYPES } from "./protocol.js";

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8000;
const ANSWER_WITHIN = 8000;
const CONFLATED = new Set(["price_update"]);
const LOSSLESS = new Set(["alert", "signal", "news", "system_status"]);
const NO_RIGHT = new Set(["staff_only", "login_required"]);
const OWN_ALERTS = "alerts:@me"; // whoever asks for alerts while logged in gets it too

export class Stream extends EventTarget {
  /** Events: the type of each message, with the message as `detail`; `state`; `epoch` (a stream begins anew); `lost` (a stream has a hole); `renamed` (a stream has another name now); `ended` (streams were taken, with the reason). */
  constructor(url = address()) {
    super();
    this.url = url;
    this.state = "connecting";
    this.service = null; // what prices need and whether it is there; null until the server has told
    this.heardAt = null;
    this.wanted = new Map();
    this.places = new Map();
    this.queue = new Map();
    this.attempts = 0;
    this.lastId = 0;
    this.asked = new Map(); // what is not answered yet, by id
    addEventListener("online", () => this.open());
    addEventListener("offline", () => this.socket?.close());
    addEventListener("pagehide", () => this.end());
    addEventListener("pageshow", (event) => event.persisted && this.open());
    document.addEventListener("visibilitychange", () => document.hidden || this.deliver());
    setInterval(() => this.beat(), (HEARTBEAT_SECONDS * 1000) / 2);
  }

  /** Whether prices can come: the line stands, and so do the store, the feed and its source behind it. */
  get isFlowing() {
    const { redis, feed, source } = this.service ?? { redis: true, feed: true, source: true };
    return (this.state === "live" || this.state === "connecting") && redis && feed && source;
  }

  on(type, handler) {
    this.addEventListener(type, (event) => handler(event.detail));
    return this;
  }

  subscribe(type, symbols = []) {
    const held = this.wanted.get(type) ?? new Set();
    symbols.forEach((symbol) => held.add(symbol));
    this.wanted.set(type, held);
    if (this.state === "live") this.ask(type, symbols);
    return this;
  }

  unsubscribe(type, symbols) {
    symbols.forEach((symbol) => {
      this.wanted.get(type)?.delete(symbol);
      this.places.delete(`${type}:${symbol}`);
    });
    if (this.state === "live") this.send({ action: "unsubscribe", type, symbols });
  }

  open() {
    if (this.socket || this.state === "refused") return;
    clearTimeout(this.waiting);
    this.socket = new WebSocket(this.url);
    this.socket.onmessage = (event) => this.receive(JSON.parse(event.data));
    this.socket.onclose = (event) => this.closed(event.code);
    this.answerBy = setTimeout(() => this.socket?.close(), ANSWER_WITHIN);
  }

  end() {
    clearTimeout(this.waiting);
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    socket.onclose = null;
    socket.close();
  }

  // What comes.

  receive(message) {
    this.heardAt = Date.now();
    clearTimeout(this.answerBy);
    const handler = HANDLERS[message.type];
    if (handler) handler.call(this, message);
    else this.take(message);
  }

  connected() {
    this.attempts = 0;
    this.service = null;
    this.become("live");
    for (const [type, symbols] of this.wanted) this.ask(type, [...symbols]);
  }

  subscribed(message) {
    const resumed = this.asked.get(message.id)?.since ?? {};
    this.asked.delete(message.id);
    for (const [stream, { epoch, seq, recovered }] of Object.entries(message.streams)) {
      const place = this.places.get(stream);
      if (place) place.isAsked = false;
      if (recovered && resumed[stream]?.epoch === epoch) continue;
      if (resumed[stream] && resumed[stream].epoch !== epoch) this.emit("epoch", { stream, epoch, seq });
      this.places.set(stream, { epoch, seq });
    }
    message.snapshot.forEach((each) => this.queueUp(each));
  }

  take(message) {
    const stream = streamOf(message);
    const place = this.places.get(stream);
    if (place && message.seq != null) {
      if (message.seq <= place.seq) return;
      if (LOSSLESS.has(message.type) && message.seq > place.seq + 1) {
        this.resume(stream, place);
        return;
      }
      place.seq = message.seq;
    }
    this.queueUp(message);
  }

  epoch(message) {
    this.places.set(message.stream, { epoch: message.epoch, seq: message.seq });
    this.emit("epoch", message);
  }

  gap(message) {
    this.places.set(message.stream, { epoch: message.epoch, seq: message.to });
    this.emit("lost", message);
  }

  /** A stream goes on under another name, where it was: what is wanted, and what is asked for, go along. */
  renamed({ stream, to }) {
    const [type, symbol] = stream.split(/:(.*)/);
    const held = this.wanted.get(type);
    if (held?.delete(symbol)) held.add(to.split(/:(.*)/)[1]);
    for (const places of [this.places, ...[...this.asked.values()].map(({ since }) => since)]) move(places, stream, to);
    this.emit("renamed", { stream, to });
  }

  /** Streams that the server took: what has ended is not asked for again; what nobody could tell is, later. */
  unsubscribed({ streams, reason }) {
    if (reason === "asked") return;
    for (const [key, message] of this.queue) if (streams.includes(streamOf(message))) this.queue.delete(key);
    if (reason === "rights_ended") streams.forEach((stream) => this.forget(stream));
    else new Set(streams.map((stream) => stream.split(":")[0])).forEach((type) => this.askLater(type));
    this.emit("ended", { streams, reason });
  }

  refused(message) {
    const asked = this.asked.get(message.id);
    this.asked.delete(message.id);
    if (asked && message.code === "temporarily_unavailable") this.askLater(asked.type, asked.symbols);
    else Object.keys(asked?.since ?? {}).forEach((stream) => Object.assign(this.places.get(stream) ?? {}, { isAsked: false }));
    this.emit("refusal", message);
    if (!asked || !NO_RIGHT.has(message.code)) return;
    this.forget(asked.type);
    this.emit("ended", { streams: [asked.type], reason: "rights_ended" });
  }

  forget(stream) {
    this.wanted.delete(stream);
    this.places.delete(stream);
  }

  closed(code) {
    clearTimeout(this.answerBy);
    this.socket = null;
    this.asked.clear();
    if (code >= 4500 && code < 5000) {
      this.become("refused", code);
      if (code === CLOSE.invalid_token) this.emit("ended", { streams: [], reason: "rights_ended" });
      return;
    }
    this.become(navigator.onLine ? "reconnecting" : "offline", code);
    const pause = code === CLOSE.server_shutdown && this.retryAfter ? this.retryAfter : this.pause();
    this.retryAfter = null;
    this.waiting = setTimeout(() => this.open(), pause);
  }

  /** Exponential, with full jitter above its floor, so that a thousand pages do not come back at once. */
  pause() {
    const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.attempts);
    this.attempts += 1;
    return FIRST_PAUSE / 2 + Math.random() * most;
  }

  // What goes.

  ask(type, symbols) {
    const names = UNNAMED_TYPES.includes(type) ? [type] : symbols.map((symbol) => `${type}:${symbol}`);
    if (type === "alerts") names.push(OWN_ALERTS);
    const since = Object.fromEntries(names.filter((name) => this.places.has(name)).map((name) => [name, position(this.places.get(name))]));
    const message = { action: "subscribe", id: ++this.lastId, type };
    if (symbols.length) message.symbols = symbols;
    if (Object.keys(since).length) message.since = since;
    this.asked.set(message.id, { type, symbols, since });
    this.send(message);
  }

  /** The same once more, unless another line has asked for everything meanwhile. */
  askLater(type, symbols = [...(this.wanted.get(type) ?? [])]) {
    const { socket } = this;
    setTimeout(() => {
      const wanted = this.wanted.get(type);
      const left = symbols.filter((symbol) => wanted?.has(symbol));
      const isWanted = wanted && (left.length || !symbols.length);
      if (isWanted && this.socket === socket && this.state === "live") this.ask(type, left);
    }, LONGEST_PAUSE * (0.5 + Math.random() / 2));
  }

  /** A hole in a stream that must have none: what is missing is asked for once, and the rest comes with it. */
  resume(stream, place) {
    if (place.isAsked) return;
    place.isAsked = true;
    const [type, symbol] = stream.split(/:(.*)/);
    if (stream === OWN_ALERTS) this.ask(type, [...(this.wanted.get(type) ?? [])]);
    else this.ask(type, symbol ? [symbol] : []);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** A silent line is asked; one that does not answer is dropped. */
  beat() {
    if (this.state !== "live") return;
    this.send({ action: "ping" });
    clearTimeout(this.answerBy);
    this.answerBy = setTimeout(() => this.socket?.close(), ANSWER_WITHIN);
  }

  // How it is handed over.

  queueUp(message) {
    const latest = CONFLATED.has(message.type) || (message.is_final === false && message.stream);
    const key = latest ? streamOf(message) : `${streamOf(message)}#${message.seq}`;
    this.queue.delete(key);
    this.queue.set(key, message);
    this.frame ??= requestAnimationFrame(() => this.deliver());
  }

  deliver() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const messages = [...this.queue.values()];
    this.queue.clear();
    messages.forEach((message) => this.emit(message.type, message));
  }

  become(state, code = null) {
    this.state = state;
    this.emit("state", { state, code });
  }

  serve(service) {
    this.service = service;
    this.emit("state", { state: this.state });
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const HANDLERS = {
  connected: Stream.prototype.connected,
  subscribed: Stream.prototype.subscribed,
  epoch: Stream.prototype.epoch,
  gap: Stream.prototype.gap,
  renamed: Stream.prototype.renamed,
  service_status({ redis, feed, source, detail }) {
    this.serve({ redis, feed, source, detail });
  },
  pong() {},
  price_updates(message) {
    message.updates.forEach((update) => this.take(update));
  },
  server_shutdown(message) {
    this.retryAfter = message.retry_after * 1000;
  },
  unsubscribed: Stream.prototype.unsubscribed,
  error: Stream.prototype.refused,
};

/** What stands under a name, in a Map or an object, stands under another. */
function move(places, name, to) {
  if (places instanceof Map) {
    if (places.has(name)) places.set(to, places.get(name));
    places.delete(name);
  } else if (name in places) {
    places[to] = places[name];
    delete places[name];
  }
}

function position({ epoch, seq }) {
  return { epoch, seq };
}

function streamOf(message) {
  return message.stream ?? (message.type === "price_update" ? `prices:${message.symbol}` : message.type);
}

function address() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/realtime`;
}
