// The last hour above the list: what ended well, in part or not at all, and what waited, a bar a minute.

import { get, inOrder } from "../../components/page.js";
import { Strip } from "../../components/strip.js";
import { clock, count, word } from "../../words/words.js";

const EVERY = 15_000;
const SOON = 4000; // after something happened
const SERIES = ["done", "partial", "failed", "waiting"];

export class Hour {
  constructor(box) {
    this.box = box;
    this.ask = inOrder(() => get("/api/tasks/minutes"));
    this.strip = new Strip(box.querySelector("[data-strip]"), { series: SERIES, say, label: word("lastHour") });
    this.again = setInterval(() => this.read(), EVERY);
  }

  stop() {
    clearInterval(this.again);
    clearTimeout(this.soon);
  }

  readSoon() {
    this.soon ??= setTimeout(() => this.read(), SOON);
  }

  /** What does not come leaves the strip as it was; the next turn asks again. */
  async read() {
    clearTimeout(this.soon);
    this.soon = null;
    const found = document.hidden ? null : await this.ask();
    if (!found) return;
    this.strip.show(found.minutes);
    for (const name of SERIES) this.showSum(name, found.minutes);
    this.box.hidden = false;
  }

  /** What ended is of the whole hour, what waits is of now. */
  showSum(name, minutes) {
    const sum = name === "waiting" ? minutes.at(-1).waiting : minutes.reduce((all, minute) => all + minute[name], 0);
    this.box.querySelector(`[data-sum="${name}"]`).textContent = count(sum);
  }
}

function say(minute) {
  const told = SERIES.filter((name) => minute[name]).map((name) => `${word(`hour${name[0].toUpperCase()}${name.slice(1)}`)} ${count(minute[name])}`);
  return [clock(minute.at).slice(0, 5), ...(told.length ? told : [word("hourNothing")])].join(" · ");
}
