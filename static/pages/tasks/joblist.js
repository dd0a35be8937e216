// The list of jobs: lines change in place; new ones come on top, and wait where they would move what one looks at.

import { setText } from "../../components/frame.js";
import { Table } from "../../components/table/table.js";
import { COLUMNS, dress } from "./jobrow.js";
import { count, word } from "../../words/words.js";

const MOST = 300;
const LINGER = 5000; // what no longer matches the filter stays to be seen for a moment
const POINTER = matchMedia("(hover: hover)");

export class JobList {
  /** `open(id)` is called when a job is chosen, `marked(jobs)` when several are; `isFolded()`: whether the runs of a schedule are one line. */
  constructor(frame, { open, marked, isFolded }) {
    Object.assign(this, { frame, open, isFolded, jobs: new Map(), arrived: new Map(), leaving: new Map(), isTrimmed: false });
    this.element = frame.querySelector("[data-jobs]");
    this.table = new Table(this.element, {
      columns: COLUMNS, keyOf: ({ key }) => key, dress, order: ["job", false],
      chosen: ({ job }, how) => this.open(job.task_id, how),
      marked: (lines) => marked(lines.map(({ job }) => job)),
    });
    this.choice = this.table.choice;
    this.pill = frame.querySelector("[data-arrivals]");
    this.pill.addEventListener("click", () => this.admit({ isAsked: true }));
    addEventListener("scroll", () => this.admit(), { passive: true });
    this.table.body.addEventListener("pointerleave", () => this.admit());
    setInterval(() => this.table.tick(), 1000);
  }

  /** All lines anew. */
  fill(jobs) {
    this.arrived.clear();
    this.jobs = new Map(jobs.map((job) => [job.task_id, job]));
    this.isTrimmed = false;
    this.refill();
    this.countArrivals();
  }

  /** Jobs behind those that are shown. */
  append(jobs) {
    for (const job of jobs) this.jobs.set(job.task_id, job);
    this.refill();
  }

  refill() {
    const keys = new Set([...this.jobs.values()].map((job) => this.keyOf(job)));
    this.table.fill([...keys].map((key) => this.line(key)));
    this.choose(this.chosen, { isQuiet: true });
  }

  show(job) {
    const id = job.task_id;
    if (this.arrived.has(id)) this.arrived.set(id, job);
    if (!this.jobs.has(id)) return;
    const before = this.keyOf(this.jobs.get(id));
    this.jobs.set(id, job);
    const key = this.keyOf(job);
    if (key !== before) this.table.remove(before); // only now it is known whose run it is
    this.table.put(this.line(key));
  }

  has(id) {
    return this.jobs.has(id) || this.arrived.has(id);
  }

  get size() {
    return this.jobs.size;
  }

  // Lines.

  keyOf({ task_id: id, schedule }) {
    return schedule && this.isFolded() ? `schedule:${schedule}` : id;
  }

  line(key) {
    const runs = key.startsWith("schedule:") ? this.runs(key) : null;
    return { key, runs, job: runs ? runs[0] : this.jobs.get(key) };
  }

  runs(key) {
    const found = [...this.jobs.values()].filter((job) => this.keyOf(job) === key);
    return found.sort((one, other) => (one.task_id < other.task_id ? 1 : -1));
  }

  // What comes and goes.

  /** A job that the list did not have; `admit` lets it in. */
  arrive(job) {
    this.arrived.set(job.task_id, job);
  }

  /** It no longer matches: it fades where it stands and goes when nobody is about to click. */
  leave(id) {
    this.arrived.delete(id);
    if (!this.jobs.has(id) || this.leaving.has(id)) return;
    this.rowOf(id)?.classList.add("leaving");
    this.leaving.set(id, setTimeout(() => this.remove(id), LINGER));
  }

  stay(id) {
    if (!this.leaving.has(id)) return;
    clearTimeout(this.leaving.get(id));
    this.leaving.delete(id);
    this.rowOf(id)?.classList.remove("leaving");
  }

  remove(id) {
    if (!this.leaving.has(id)) return;
    if (this.isWatched() || id === this.chosen) {
      this.leaving.set(id, setTimeout(() => this.remove(id), LINGER));
      return;
    }
    this.leaving.delete(id);
    this.drop(id);
  }

  drop(id) {
    const key = this.keyOf(this.jobs.get(id));
    this.jobs.delete(id);
    if (key === id || !this.runs(key).length) this.table.remove(key);
    else this.table.put(this.line(key));
  }

  /** Let new jobs in, unless that moves what is looked at. */
  admit({ isAsked = false } = {}) {
    if (!isAsked && (this.isScrolled() || this.isWatched())) {
      this.countArrivals();
      return;
    }
    if (this.arrived.size) this.insertAll([...this.arrived.values()]);
    this.arrived.clear();
    this.countArrivals();
    if (isAsked) scrollTo({ top: 0, behavior: "instant" });
  }

  insertAll(jobs) {
    for (const job of jobs) this.jobs.set(job.task_id, job);
    const ids = [...this.jobs.keys()].sort();
    for (const id of ids.slice(0, Math.max(0, ids.length - MOST))) {
      this.drop(id);
      this.isTrimmed = true;
    }
    for (const key of new Set(jobs.filter(({ task_id: id }) => this.jobs.has(id)).map((job) => this.keyOf(job)))) this.table.put(this.line(key));
    this.table.arrange();
    this.choose(this.chosen, { isQuiet: true });
  }

  isScrolled() {
    return this.frame.getBoundingClientRect().top < 0;
  }

  isWatched() {
    return POINTER.matches && this.table.body.matches(":hover");
  }

  countArrivals() {
    this.pill.hidden = !this.arrived.size;
    setText(this.pill, word("arrived", { n: count(this.arrived.size) }));
  }

  /** The oldest that is shown. */
  get last() {
    return [...this.jobs.keys()].reduce((least, id) => (!least || id < least ? id : least), "");
  }

  // Choice.

  rowOf(id) {
    return this.jobs.has(id) ? this.table.rows.get(this.keyOf(this.jobs.get(id)))?.element : null;
  }

  /** The line that has the job; `isQuiet`: as it was chosen before, and now has another place. */
  choose(id, { focus = false, isQuiet = false } = {}) {
    this.chosen = id;
    const key = this.jobs.has(id) ? this.keyOf(this.jobs.get(id)) : null;
    if (!isQuiet) this.choice.set(key, { focus });
    else if (this.choice.keys.size < 2) this.choice.mark(key);
  }

  /** Another run of the schedule whose line is chosen. */
  stepRun(by) {
    const runs = this.jobs.has(this.chosen) ? this.runs(this.keyOf(this.jobs.get(this.chosen))) : [];
    const next = runs[runs.findIndex(({ task_id: id }) => id === this.chosen) - by];
    if (next) this.open(next.task_id, { focus: true });
  }
}
