// The client of /ws/realtime, for our pages and for anybody's: it keeps its subscriptions through every disconnection,
// resumes each stream where it was, and says so when something can't be had again. In a page of any origin that the
// server allows, and in Node 22 or later:
//
//   import { Stream } from "https://finstage.example/static/stream/stream.js";
//   const stream = new Stream({ url: "https://finstage.example", token: "finstage_key_.." });
//   stream.on("price_update", ({ symbol, current_price }) => console.log(symbol, current_price));
//   stream.on("lost", ({ stream, rest }) => console.log("missed some of", stream, "which is at", rest));
//   stream.subscribe("prices", ["AAPL", "MSFT"]).open();

import { Asking } from "./asking.js";
import { Handover } from "./handover.js";
import { isAskedBy, kindOf, streamOf } from "./names.js";
import { HANDOVER, origin } from "./surroundings.js";

const NO_RIGHT = new Set(["staff_only", "login_required"]);
const NOT_NOW = new Set(["temporarily_unavailable", "rate_limited", "no_room"]);

export class Stream extends Asking {
  /**
   * Events: the type of each message, with the message as `detail`; `state`; `begun` (a stream is heard from here on: what
   * was read before may lack what came since); `epoch` (a stream begins anew); `lost` (a stream has a hole: the server's
   * `gap`, or a reason of ours); `replayed` (a price, bar or indicators of a replay of one's own); `renamed` (a stream has
   * another name now); `ended` (streams were taken, with the reason); `starting` (symbols that the source is asked about: each
   * is heard from when it is there, or refused); `refusal` (the server's `error`).
   *
   * @param {object} [options]
   * @param {string} [options.url] of the server as a browser has it; of the page where there is one
   * @param {string | (() => string | Promise<string>)} [options.token] an API key, or what gives a key or a ticket for
   *   each connection; a page of the server's own needs none
   * @param {"frame" | "now"} [options.handover] once per animation frame, as pages like it, or each message as it comes
   */
  constructor({ url = origin(), token = null, handover = HANDOVER } = {}) {
    super(url);
    this.token = token;
    this.service = null; // what prices need and whether it is there; null until the server has told
    this.queue = new Handover(this, { perFrame: handover === "frame", isReplaced: (message) => this.isReplaced(message) });
    this.showing = null; // the id with which it says who this is
  }

  /** Whether all that is wanted can come: the line stands, so do the store, the feed and its source, and nothing is late. */
  get isFlowing() {
    const { redis, feed, source } = this.service ?? { redis: true, feed: true, source: true };
    return (this.state === "live" || this.state === "connecting") && redis && feed && source && !this.late.size;
  }

  receive(message) {
    const handler = HANDLERS[message.type];
    if (handler) handler.call(this, message);
    else this.take(message);
  }

  async connected({ client_id: clientId }) {
    this.clientId = clientId;
    this.service = null;
    this.late.clear();
    if (this.token && !(await this.authenticate())) return;
    this.become("live");
    if (!this.wanted.size) this.wasUseful();
    for (const want of this.wanted.all.values()) this.ask(want, want.symbols);
  }

  /** Whether it said who this is on the line that stood when it began. A token that can't be had may be, later. */
  async authenticate() {
    const { socket } = this;
    try {
      const token = typeof this.token === "function" ? await this.token() : this.token;
      this.showing = ++this.lastId;
      if (this.socket === socket) this.send({ action: "authenticate", id: this.showing, token });
    } catch (error) {
      this.emit("refusal", { type: "error", code: "no_token", message: String(error) });
      if (this.socket === socket) this.drop();
      return false;
    }
    return this.socket === socket;
  }

  /** A large answer comes in pieces, all but the last of which say that there is more; what is starting comes later. */
  subscribed(message) {
    const asked = this.asked.get(message.id);
    const resumed = asked?.since ?? {};
    if (!message.more) {
      if (!message.starting) this.asked.delete(message.id);
      this.inTime(asked);
      this.wasUseful();
    }
    for (const [stream, { epoch, seq, recovered }] of Object.entries(message.streams)) {
      const place = this.places.get(stream);
      if (place) place.isAsked = false;
      if (recovered && resumed[stream]?.epoch === epoch) continue;
      if (resumed[stream] && resumed[stream].epoch !== epoch) this.emit("epoch", { stream, epoch, seq });
      this.places.set(stream, { epoch, seq, mode: asked?.options?.mode });
      if (!place) this.emit("begun", { stream, epoch, seq });
      if (place && !resumed[stream] && this.isWhole(stream)) this.tellLost(stream, place, { epoch, seq });
    }
    message.snapshot.forEach((each) => this.queue.add(each));
    if (message.starting) this.emit("starting", { symbols: message.starting });
  }

  /** Its position had no room beside the others. */
  tellLost(stream, before, { epoch, seq }) {
    if (before.epoch === epoch && before.seq === seq) return;
    const from = before.epoch === epoch ? before.seq + 1 : 0;
    this.emit("lost", { type: "gap", stream, epoch, from, to: seq, reason: "limit" });
  }

  take(message) {
    if (message.replay) { // of a past session, and numbered by itself: it says nothing of where a stream is
      this.emit("replayed", message);
      return;
    }
    const stream = streamOf(message);
    const place = this.places.get(stream);
    if (place && message.seq != null) {
      if (message.seq <= place.seq) return;
      if (this.isWhole(stream) && message.seq > place.seq + 1) {
        this.resume(stream, place);
        return;
      }
      place.seq = message.seq;
    }
    this.queue.add(message);
  }

  epoch(message) {
    this.places.set(message.stream, { epoch: message.epoch, seq: message.seq, mode: this.places.get(message.stream)?.mode });
    this.emit("epoch", message);
  }

  gap(message) {
    const place = this.places.get(message.stream);
    const seq = place?.epoch === message.epoch ? Math.max(place.seq, message.to) : message.to;
    this.places.set(message.stream, { epoch: message.epoch, seq, mode: place?.mode });
    this.emit("lost", message);
  }

  /** A stream goes on under another name, where it was: what is wanted, and what is asked for, go along. */
  renamed({ stream, to }) {
    this.rename(stream, to);
    this.emit("renamed", { stream, to });
  }

  /** Streams that the server took: what has ended is not asked for again; what nobody could tell is, later. */
  unsubscribed({ streams, reason }) {
    if (reason === "asked") return;
    this.queue.drop(streams);
    if (reason === "rights_ended") streams.forEach((stream) => this.forget(stream));
    else this.wishes().filter((wish) => streams.some((stream) => isAskedBy(stream, wish))).forEach((wish) => this.askLater(wish));
    this.emit("ended", { streams, reason });
  }

  /** An unknown symbol fails alone: what else was asked with it is answered next. */
  refused(message) {
    const asked = this.asked.get(message.id);
    if (message.code === "too_many_connections") this.waitFor(message);
    if (this.showing === message.id && NOT_NOW.has(message.code)) {
      // Nobody's line would be refused what is this one's, and that counts as final.
      this.emit("refusal", message);
      this.waitFor(message);
      this.drop();
      return;
    }
    if (asked && message.code === "unknown_symbol" && asked.symbols.some((symbol) => !message.symbols.includes(symbol))) {
      this.emit("refusal", message);
      return;
    }
    this.asked.delete(message.id);
    if (asked && NOT_NOW.has(message.code)) this.askLater(asked, message.retry_after);
    else this.isAnswered(asked);
    this.emit("refusal", message);
    if (!asked || !NO_RIGHT.has(message.code)) return;
    this.forget(asked.type);
    this.emit("ended", { streams: [asked.type], reason: "rights_ended" });
  }

  /** Before the next line, at least as long as the server says. */
  waitFor({ retry_after: seconds = 0 }) {
    this.retryAfter = 1000 * seconds;
  }

  isReplaced(message) {
    const stream = streamOf(message);
    const { conflated } = kindOf(stream);
    return (conflated === "all" && !this.isWhole(stream)) || (conflated === "forming" && message.is_final === false);
  }

  serve(service) {
    this.service = service;
    this.emit("state", { state: this.state });
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
  replay(message) { // how a replay of one's own stands comes in its place among what it tells
    this.emit("replay", message);
  },
  pong() {},
  authenticated() {},
  price_updates(message) {
    message.updates.forEach((update) => this.take(update));
  },
  server_shutdown: Stream.prototype.waitFor,
  unsubscribed: Stream.prototype.unsubscribed,
  error: Stream.prototype.refused,
};
