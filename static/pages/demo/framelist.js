// The frames of a socket, the newest first: so many are kept, whatever comes. Each opens to its whole text.

import { copying } from "../../components/copying.js";
import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { clock, count, word } from "../../words/words.js";

const KEPT = 300;
const LINE = 400; // characters of a line; the rest is seen where it is opened
const ALL = "";

export class FrameList {
  constructor(board) {
    this.board = board;
    this.list = this.part("list");
    this.frames = []; // oldest first
    this.fresh = []; // those that are not shown yet
    this.total = 0;
    this.type = ALL;
    this.isPaused = false;
    this.part("pause").addEventListener("click", () => this.pause());
    this.part("clear").addEventListener("click", () => this.clear());
    this.part("filter").addEventListener("change", ({ target }) => this.choose(target.value));
  }

  part(name) {
    return this.board.querySelector(`[data-${name}]`);
  }

  add({ isSent, text, at }) {
    const frame = { isSent, text, at, type: typeOf(text) };
    this.total += 1;
    for (const list of [this.frames, this.fresh]) {
      list.push(frame);
      if (list.length > KEPT) list.shift();
    }
    this.offer(frame.type);
    this.drawing ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.drawing = null;
    if (!this.isPaused) {
      this.list.prepend(...this.fresh.splice(0).filter((frame) => this.shows(frame)).map(row).reverse());
      while (this.list.children.length > KEPT) this.list.lastElementChild.remove();
    }
    this.say();
  }

  say() {
    const waiting = this.isPaused ? this.fresh.filter((frame) => this.shows(frame)).length : 0;
    this.part("none").hidden = this.list.children.length > 0;
    setText(this.part("none"), word(this.frames.length ? "noneOfType" : "noFrames"));
    const facts = [word("framesTotal", { n: count(this.total) })];
    if (this.total > this.frames.length) facts.push(word("framesKept", { n: count(this.frames.length) }));
    if (waiting) facts.push(word("framesWaiting", { n: count(waiting) }));
    setText(this.part("count"), facts.join(" · "));
  }

  shows({ type }) {
    return this.type === ALL || type === this.type;
  }

  /** A type that came for the first time can be chosen. */
  offer(type) {
    const filter = this.part("filter");
    if ([...filter.options].some(({ value }) => value === type)) return;
    filter.append(make("option", { value: type, textContent: type }));
  }

  choose(type) {
    this.type = type;
    this.again();
  }

  pause() {
    this.isPaused = !this.isPaused;
    const button = this.part("pause");
    button.setAttribute("aria-pressed", String(this.isPaused));
    setText(button, word(this.isPaused ? "goOn" : "pause"));
    this.draw();
  }

  clear() {
    Object.assign(this, { frames: [], fresh: [], total: 0 });
    this.again();
  }

  again() {
    const waiting = this.isPaused ? new Set(this.fresh) : new Set();
    if (!this.isPaused) this.fresh = [];
    this.list.replaceChildren(...this.frames.filter((frame) => this.shows(frame) && !waiting.has(frame)).map(row).reverse());
    this.say();
  }
}

/** What a frame calls itself; what is no JSON object of ours has a word of its own. */
function typeOf(text) {
  try {
    const { action, type } = JSON.parse(text);
    return String(action ?? type ?? word("otherText"));
  } catch {
    return word("otherText");
  }
}

function row(frame) {
  const line = make(
    "summary",
    {},
    make("span", { className: "way", textContent: frame.isSent ? "↑" : "↓", ariaHidden: "true" }),
    make("span", { className: "visually-hidden", textContent: word(frame.isSent ? "sent" : "received") }),
    make("time", { textContent: clock(frame.at) }),
    make("b", { textContent: frame.type }),
    make("code", { textContent: frame.text.slice(0, LINE) }),
  );
  const details = make("details", { className: frame.isSent ? "is-sent" : frame.type === "error" ? "is-error" : "" }, line);
  details.addEventListener("toggle", () => details.open && details.children.length < 2 && details.append(whole(frame.text)));
  return make("li", {}, details);
}

function whole(text) {
  const pretty = make("code", { textContent: indented(text) });
  return make("div", { className: "whole" }, make("pre", { tabIndex: 0 }, pretty), copying(() => pretty.textContent));
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
