// A replay of one's own over a Stream: it is begun, steered, and goes on where it was when the line comes back.
//
//   replaying.on("heard", (message) => …)   a price, bar, indicators or alert of it
//   replaying.on("stands", ({ state, at, event, isBack }) => …)   at each change; `isBack`: after the line was lost
//   replaying.on("refused", ({ code, symbols, isWhole }) => …)    `isWhole`: nothing plays by it

import { isCompared } from "../../components/chart/history.js";

const MOST = 50; // indicators beyond those that everybody gets, one of a symbol each
const REFUSED = new Set(["invalid", "too_many_indicators"]);
const ASKING = { begin: "begin", seek: "seek", other: "other" };

export class Replaying extends EventTarget {
  /** wish: { symbols, start, end, speed }; at: the session that it begins with. */
  constructor(stream, wish, at) {
    super();
    Object.assign(this, { stream, wish, at, state: "idle", isThere: false, isAway: false, waits: null, asked: new Map() });
    stream.on("replayed", (message) => this.hear(message));
    stream.on("replay", (message) => this.stand(message)).on("refusal", (message) => this.refused(message));
    stream.on("state", ({ state }) => this.follow(state));
  }

  on(type, handler) {
    this.addEventListener(type, ({ detail }) => handler(detail));
    return this;
  }

  begin({ isHeld = false } = {}) {
    this.waits = null;
    this.isHeld = isHeld;
    this.isThere = true; // or will be, once the line is
    this.become("starting");
    this.ask();
  }

  toggle() {
    if (this.state === "playing") this.tell({ action: "pause" });
    else if (this.state === "paused") this.tell({ action: "resume", speed: this.wish.speed });
    else if (this.state !== "starting") {
      if (this.state === "ended") this.at = this.wish.start;
      this.begin();
    }
  }

  /** To a session, or to the next event of a kind; where none is begun yet, it is and is held there. */
  seek(to) {
    if (to.day) this.at = to.day;
    if (!this.isThere && to.day) {
      this.become("idle");
      return;
    }
    if (!this.isThere) this.begin({ isHeld: true });
    this.tell({ action: "seek", ...(to.day ? { to: to.day } : { event: to.event }) }, ASKING.seek);
  }

  /** From now on these are told too; what plays begins anew where it is. */
  indicate(keys) {
    this.wish.indicators = within(keys, this.wish.symbols);
    if (this.isThere) this.begin({ isHeld: this.state === "paused" });
  }

  hasten(speed) {
    this.wish.speed = speed;
    if (this.state === "playing") this.tell({ action: "resume", speed });
  }

  ask() {
    if (this.stream.state !== "live" || this.waits !== null) return; // it is asked for already
    const { wish: { symbols, start, end, speed, indicators = [] }, at, isHeld } = this;
    this.tell({ action: "replay", symbols, start, end, speed, at, ...(isHeld && { paused: true }), ...(indicators.length && { indicators }) }, ASKING.begin);
  }

  /** What plays until a place is answered for is of the one before. */
  tell(action, kind = ASKING.other) {
    if (this.stream.state !== "live") return;
    const id = this.stream.say(action);
    this.asked.set(id, { kind, ...action });
    if (kind !== ASKING.other) this.waits = id;
  }

  hear(message) {
    if (this.waits !== null) return;
    this.at = message.session_date;
    this.emit("heard", message);
  }

  stand(message) {
    const asked = this.asked.get(message.id);
    this.asked.delete(message.id);
    if (this.waits === message.id) this.waits = null;
    else if (this.waits !== null) return; // of before what is asked for
    const isBack = this.isBack && asked?.kind === ASKING.begin;
    if (isBack) this.isBack = false;
    this.at = message.session_date;
    if (message.state === "stopped") this.isThere = false;
    this.emitAs(message.state, { reason: message.reason, event: message.event, isBack, isPlaced: Boolean(asked) && asked.kind !== ASKING.other });
  }

  refused({ id, code, symbols, message }) {
    const asked = this.asked.get(id);
    if (!asked) return;
    const isPart = asked.kind === ASKING.begin && symbols && symbols.length < this.wish.symbols.length;
    if (!isPart) {
      this.asked.delete(id);
      if (this.waits === id) this.waits = null;
      if (asked.kind === ASKING.begin && REFUSED.has(code) && this.wish.indicators?.length) {
        this.wish.indicators = []; // kept by another version, it may be: it plays without them
        this.ask();
        return;
      }
      if (asked.kind === ASKING.begin || code === "no_replay") this.gone("stopped");
    }
    this.emit("refused", { code, symbols: symbols ?? [], message, event: asked.event, isWhole: !isPart && asked.kind === ASKING.begin });
  }

  /** A line that is lost takes its replay along; the next one begins it where it was. */
  follow(state) {
    if (!this.isThere || (state === "live") !== (this.isAway || this.state === "starting")) return;
    if (state === "live") {
      this.isBack = this.isAway;
      this.isAway = false;
      this.ask();
      return;
    }
    this.waits = null;
    this.asked.clear();
    if (this.state === "ended") this.isThere = false; // it has told all
    else {
      this.isAway = true;
      this.isHeld = this.state === "paused";
      this.become(this.state);
    }
  }

  gone(state) {
    this.isThere = false;
    this.become(state);
  }

  become(state) {
    this.emitAs(state, {});
  }

  emitAs(state, more) {
    this.state = state;
    this.emit("stands", { state, at: this.at, isAway: this.isAway, ...more });
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** As many of them as may be told of so many symbols. */
export function within(keys, symbols) {
  return keys.filter((key) => !isCompared(key)).slice(0, Math.floor(MOST / Math.max(1, symbols.length)));
}
