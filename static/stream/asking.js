// What is asked for on a line: symbols of a type, each stream of them from where it was. What the server can't answer for now
// is asked again, and a hole in a stream that must have none is asked for once.

import { Line, patience } from "./line.js";
import { OWN, address, folded, isAskedBy, kindOf } from "./names.js";
import { Wants, parts, wishes } from "./wants.js";

const MOST_SINCE = 50000; // characters of the positions in one frame

export class Asking extends Line {
  constructor(url) {
    super(url);
    this.wanted = new Wants();
    this.places = new Map(); // of each stream: how far it was heard
    this.lastId = 0;
    this.late = new Set(); // of what was asked, that which the server could not answer for now
  }

  /** options: `interval`, `indicators` and `mode` of the subscription. */
  subscribe(type, symbols = [], options = {}) {
    const named = symbols.map(folded);
    const want = this.wanted.add(type, named, options);
    if (this.state === "live") this.ask(want, named);
    return this;
  }

  /** options: where there are `indicators`, of them alone; one that everybody gets stays, as it is told with the others. */
  unsubscribe(type, tickers, { indicators } = {}) {
    const symbols = tickers.map(folded);
    this.wanted.remove(type, symbols, indicators);
    const own = new Set();
    for (const stream of [...this.places.keys()]) {
      const of = address(stream);
      if (of.type !== type || !symbols.includes(of.symbol) || (indicators && !indicators.includes(of.indicator))) continue;
      own.add(of.indicator);
      this.places.delete(stream);
    }
    if (this.state !== "live" || (indicators && !own.size)) return;
    parts(symbols).forEach((some) => this.send({ action: "unsubscribe", type, symbols: some, ...(indicators && { indicators: [...own] }) }));
  }

  /** Say anything else that a client may, now or not at all; the answer bears the id that it gives. */
  say(action) {
    const id = ++this.lastId;
    this.send({ ...action, id });
    return id;
  }

  ask(want, symbols) {
    wishes(want, symbols).forEach((wish) => this.askFor(wish));
  }

  wishes() {
    return [...this.wanted.all.values()].flatMap((want) => wishes(want, want.symbols));
  }

  askFor(wish) {
    const { type, symbols, options } = wish;
    wish.since = this.since(wish);
    const message = { action: "subscribe", id: ++this.lastId, type, ...options };
    if (symbols.length) message.symbols = symbols;
    if (Object.keys(wish.since).length) message.since = wish.since;
    this.asked.set(message.id, wish);
    this.send(message);
  }

  /** Where it is in what it asks for, as far as a frame has room. */
  since(wish) {
    let room = MOST_SINCE;
    const held = [...this.places].filter(([stream]) => isAskedBy(stream, wish)).filter(([stream]) => (room -= stream.length + 60) > 0);
    return Object.fromEntries(held.map(([stream, { epoch, seq }]) => [stream, { epoch, seq }]));
  }

  /** The same once more, later each time, unless another line has asked for everything meanwhile. seconds: at least. */
  askLater(wish, seconds = 0) {
    const { socket } = this;
    this.late.add(wish);
    this.emit("state", { state: this.state });
    setTimeout(() => {
      const left = this.wanted.left(wish);
      wish.symbols = left ?? [];
      if (left && this.socket === socket && this.state === "live") this.askFor(wish);
      else this.inTime(wish);
    }, 1000 * seconds + 4 * patience(wish.times++));
  }

  inTime(wish) {
    if (this.late.delete(wish)) this.emit("state", { state: this.state });
  }

  /** A hole in a stream that must have none: what is missing is asked for once, and the rest comes with it. */
  resume(stream, place) {
    if (place.isAsked) return;
    place.isAsked = true;
    const { symbol } = address(stream);
    const asking = this.wishes().filter((wish) => isAskedBy(stream, wish));
    if (stream.endsWith(OWN) || !symbol) asking.forEach((wish) => this.askFor(wish));
    else asking.slice(0, 1).forEach((wish) => this.askFor({ ...wish, symbols: [symbol] }));
  }

  /** Whether every message of a stream counts: then a number that is left out is a hole. */
  isWhole(stream) {
    const { conflated } = kindOf(stream);
    return conflated === "none" || (conflated === "all" && this.places.get(stream)?.mode === "every");
  }

  isAnswered(asked) {
    this.inTime(asked);
    Object.keys(asked?.since ?? {}).forEach((stream) => Object.assign(this.places.get(stream) ?? {}, { isAsked: false }));
  }

  forget(stream) {
    this.wanted.forget(stream);
    this.places.delete(stream);
  }

  rename(stream, to) {
    this.wanted.rename(stream, to);
    for (const places of [this.places, ...[...this.asked.values()].map(({ since }) => since)]) move(places, stream, to);
  }
}

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
