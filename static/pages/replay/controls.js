// The player's bar: play and pause, where it is, how fast, and the next of what happens; and a line that says how it stands.

import { setText } from "../../components/frame.js";
import { make } from "../../components/element.js";
import { reserve } from "../../components/steady.js";
import { count, duration, word } from "../../words/words.js";

const SPEEDS = [1, 60, 600, 3600, 23_400, 100_000];
const SESSION = 23_400; // seconds that a session plays at speed 1
const REST = 250; // ms that a slider stands before it is meant
const DAY = 86_400_000;

export class Controls {
  constructor(box, { wish, replaying }) {
    Object.assign(this, { box, wish, replaying, line: document.querySelector("[data-said]") });
    this.part = (name) => box.querySelector(`[data-${name}]`);
    this.first = Date.parse(`${wish.start}T00:00:00Z`);
    this.part("place").max = Math.max(0, (Date.parse(`${wish.end}T00:00:00Z`) - this.first) / DAY);
    Object.assign(this.part("at"), { min: wish.start, max: wish.end });
    reserve(this.part("play-word"), ["play", "pause", "again"].map((name) => word(name)));
    this.part("play").addEventListener("click", () => this.toggle());
    this.part("place").addEventListener("input", () => this.slide());
    this.part("at").addEventListener("change", () => this.go(this.part("at").value));
    for (const each of box.querySelectorAll("[data-event]")) each.addEventListener("click", () => replaying.seek({ event: each.dataset.event }));
    this.offerSpeeds();
    replaying.on("stands", (told) => this.show(told)).on("refused", (why) => this.refuse(why));
    this.showPlace(replaying.at);
  }

  toggle() {
    this.replaying.toggle();
  }

  /** A speed that a link brought stands among the others. */
  offerSpeeds() {
    const speeds = [...new Set([...SPEEDS, this.wish.speed])].sort((one, other) => one - other);
    const field = this.part("speed");
    field.append(...speeds.map((speed) => make("option", { value: speed, textContent: word("times", { n: count(speed, 2) }), selected: speed === this.wish.speed })));
    reserve(this.part("lasts"), speeds.map((speed) => this.lasts(speed)));
    const show = () => setText(this.part("lasts"), this.lasts(this.wish.speed));
    field.addEventListener("change", () => {
      this.replaying.hasten(Number(field.value));
      show();
    });
    show();
  }

  lasts(speed) {
    return word("lasts", { time: duration(SESSION / speed) });
  }

  slide() {
    const day = new Date(this.first + this.part("place").value * DAY).toISOString().slice(0, 10);
    this.part("at").value = day;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.resting = null;
      this.go(day);
    }, REST);
  }

  go(day) {
    if (day >= this.wish.start && day <= this.wish.end) this.replaying.seek({ day });
    else this.showPlace(this.replaying.at);
  }

  /** Whoever is choosing a day is not disturbed. */
  showPlace(day, { isChosen = false } = {}) {
    if (this.resting) return;
    const at = this.part("at");
    if ((isChosen || document.activeElement !== at) && at.value !== day) at.value = day;
    this.part("place").value = (Date.parse(`${day}T00:00:00Z`) - this.first) / DAY;
    this.part("place").setAttribute("aria-valuetext", day);
  }

  show({ state, at, reason, event, isAway, isBack }) {
    if (state === "starting") this.lacking = "";
    const isMoving = state === "playing" || (state === "starting" && !this.replaying.isHeld);
    const [name, icon] = isMoving ? ["pause", "pause"] : [state === "ended" ? "again" : "play", "play"];
    setText(this.part("play-word"), word(name));
    const use = this.part("play").querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
    const key = state === "stopped" ? (reason ? `stopped${capital(reason)}` : null) : `is${capital(state)}`;
    if (isAway) this.say(word("isAway"), "stale");
    else if (event) this.say(word(`found${capital(event.kind)}`, { date: at, symbol: event.symbol }));
    else if (isBack) this.say(word("wentOn", { date: at }));
    else if (key) this.say(word(key, this.wish), state === "stopped" ? "stale" : "replay");
  }

  refuse({ code, symbols, message, event, isWhole }) {
    if (code === "no_event") {
      this.say(word(`noneOf${capital(event)}`, this.wish));
      return;
    }
    const key = isWhole && code === "no_bars" ? "whyNoneHeld" : `why${capital(code)}`;
    const told = word(key, { symbols: symbols.join(", ") });
    if (isWhole) this.say(told === key ? message : told, "error");
    else this.lacking = told;
  }

  say(text, status = "replay") {
    this.line.dataset.status = status;
    setText(this.line.querySelector("[data-said-text]"), [text, this.lacking].filter(Boolean).join(" "));
  }
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
