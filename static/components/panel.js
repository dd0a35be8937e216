// A panel shows one subject at a time, and never one under another's name. A change of subject clears it at once; then it
// shows a skeleton of its own shape, then what was read, an empty state, or an error with a way to try again and the
// request's id. What is asked for and no longer wanted is broken off, and an answer that comes for it all the same is dropped.
//
//   const panel = new Panel(box, {
//     read: (subject, signal) => get(`/api/v2/symbols/${subject}/bars/`, { signal }),  // the signal ends what is no longer asked
//     draw: (found, subject) => …,             // put it into the box
//     clear: () => …,                          // take out what is of the last subject
//     isEmpty: (found) => !found.length,       // with `none: async (subject) => [text, detail]`, what is said then
//     behind: (found) => promise,              // that what comes later than the rest of it has come: then `grown(found)`
//     lacking: (found) => error,               // why a part of it did not come, which is asked for again
//     recall: (subject) => kept.get(subject),  // what need not be read, or undefined
//     rest: 120,                               // milliseconds a subject must stay chosen before it is read
//   });
//   panel.show("AAPL");   a subject is a string, or the same object again
//   panel.again();        reads the same again; what stands stays until it has come, and `again("…")` says a quiet word then
//   panel.note("…");      a quiet word on its edge
//
// The box has its shape whatever it holds (a height of its own), and may bring `[data-skeleton]` of its own look.
// Looks: panel.css.

import { button, make } from "./element.js";
import { WITHIN } from "./page.js";
import { reason } from "./states.js";
import { word } from "../words/words.js";

const LOOK_AGAIN = 8000;
const NOTED = 8000;

export class Panel {
  constructor(box, how) {
    this.box = box;
    this.how = { clear() {}, isEmpty: () => false, none: async () => [word("nothingHere")], behind() {}, grown() {}, lacking() {}, recall() {}, rest: 0, ...how };
    this.skeleton = box.querySelector("[data-skeleton]") ?? make("div", { className: "panel-skeleton", dataset: { skeleton: "" } });
    this.state = make("div", { className: "panel-state", dataset: { stateBox: "" }, attributes: { role: "status" }, hidden: true });
    this.said = make("p", { className: "panel-note", dataset: { note: "" }, attributes: { role: "status" }, hidden: true });
    box.classList.add("panel");
    box.append(this.skeleton, this.state, this.said);
    this.become("idle");
  }

  /** What is shown is of the subject that was asked for last. */
  get isShown() {
    return this.is === "shown" || this.is === "late";
  }

  /** An answer is waited for. */
  get isReading() {
    return Boolean(this.asked);
  }

  show(subject) {
    if (subject === this.subject) return;
    this.subject = subject;
    this.breakOff();
    this.note("");
    this.toSay = "";
    const kept = this.how.recall(subject);
    this.how.clear();
    if (kept !== undefined) {
      this.take(kept);
      return;
    }
    this.become("waiting");
    this.waiting = setTimeout(() => this.read(), this.how.rest);
  }

  again(said = "") {
    if (this.subject === undefined) return;
    this.toSay = said || this.toSay;
    const isResting = this.is === "waiting" && !this.asked;
    if (isResting) return;
    if (!this.isShown) this.become("waiting");
    this.read();
  }

  /** What waits for something to look at may look now. */
  look() {
    if (this.is === "empty" || this.is === "failed") this.again();
  }

  note(text) {
    clearTimeout(this.noted);
    this.said.textContent = text;
    this.said.hidden = !text;
    if (text) this.noted = setTimeout(() => this.note(""), NOTED);
  }

  breakOff() {
    clearTimeout(this.waiting);
    this.line?.abort();
    this.asked = null;
  }

  async read() {
    this.breakOff();
    const asked = (this.asked = this.line = new AbortController()); // the line stays for what comes behind the answer
    const limit = setTimeout(() => asked.abort(new Error(word("noAnswer", { n: WITHIN / 1000 }))), WITHIN);
    const found = await this.answer(asked, limit);
    if (this.asked !== asked) return;
    this.asked = null;
    if (found instanceof Error) this.fail(found);
    else await this.take(found, asked.signal);
  }

  async answer(asked, limit) {
    const over = new Promise((_, end) => asked.signal.addEventListener("abort", () => end(asked.signal.reason)));
    try {
      return await Promise.race([this.how.read(this.subject, asked.signal), over]); // a script that is imported heeds no signal
    } catch (error) {
      return asked.signal.aborted && asked.signal.reason instanceof Error ? asked.signal.reason : error;
    } finally {
      clearTimeout(limit);
    }
  }

  async take(found, signal) {
    const { subject } = this;
    if (!this.how.isEmpty(found)) {
      this.become("shown");
      this.how.draw(found, subject);
      if (this.toSay) this.note(this.toSay);
      this.toSay = "";
      this.tellLacking(found);
      this.how.behind(found)?.then(() => signal.aborted || this.grow(found));
      return;
    }
    this.how.clear();
    this.become("empty");
    this.say(word("nothingHere"));
    const [text, detail] = await this.how.none(subject);
    if (this.subject !== subject || this.is !== "empty") return;
    this.say(text, detail);
    this.lookLater();
  }

  grow(found) {
    this.how.grown(found);
    this.tellLacking(found);
  }

  tellLacking(found) {
    const lacking = this.how.lacking(found);
    if (lacking) this.fail(lacking, word("inPartOnly"));
  }

  /** What stands stays with a word that it is not the newest; where nothing stands, that is said in its place. */
  fail(error, said = word(this.isShown ? "notRenewed" : "notCome")) {
    this.become(this.isShown ? "late" : "failed");
    this.say(said, reason(error), button(word("retry"), () => this.again()));
    this.lookLater();
  }

  lookLater() {
    this.waiting = setTimeout(() => (document.hidden ? this.lookLater() : this.again()), LOOK_AGAIN);
  }

  say(text, detail, ...more) {
    this.state.replaceChildren(make("p", { textContent: text }), detail ? make("small", { textContent: detail }) : "", ...more);
    this.state.hidden = false;
  }

  become(state) {
    this.is = state;
    this.box.dataset.panel = state;
    this.box.setAttribute("aria-busy", state === "waiting");
    this.skeleton.hidden = state !== "waiting";
    if (state === "waiting" || state === "shown" || state === "idle") this.state.hidden = true;
  }
}
