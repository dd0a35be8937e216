// The list of jobs: rows change in place; new ones come on top, and wait where they would move what one looks at.

import { make } from "./element.js";
import { setText } from "./frame.js";
import { errorWord, isEnded, isInPart, ranSeconds, showState, stateChip } from "./jobstate.js";
import { age, count, duration, moment, word } from "./words.js";

const MOST = 300;
const LINGER = 5000; // what no longer matches the filter stays to be seen for a moment
const POINTER = matchMedia("(hover: hover)");

/** One row of the table. */
class Row {
  constructor(job) {
    this.cells = Object.fromEntries(["state", "job", "progress", "attempt", "ran", "asked"].map((name) => [name, cell(name)]));
    this.chip = this.cells.state.appendChild(stateChip());
    this.name = make("b");
    this.about = make("span");
    this.link = make("a", { href: `/tasks/${job.task_id}/`, tabIndex: -1 }, this.name, " ", this.about);
    this.cells.job.append(this.link);
    this.bar = make("span", { className: "progress", hidden: true, attributes: { role: "progressbar" } }, make("i"));
    this.text = make("span", { className: "note" });
    this.cells.progress.append(this.bar, this.text);
    this.cells.asked.title = moment(job.created_at);
    this.element = make("tr", { tabIndex: -1, dataset: { id: job.task_id }, attributes: { role: "row" } }, ...Object.values(this.cells));
    this.show(job);
  }

  show(job) {
    this.job = job;
    this.element.dataset.state = job.status;
    showState(this.chip, job);
    setText(this.name, job.name);
    setText(this.about, job.about.replaceAll(",", ", "));
    this.about.title = job.about;
    setText(this.cells.attempt, job.attempt ? attempts(job) : "–");
    this.showProgress(job);
    this.tick(Date.now());
  }

  showProgress(job) {
    const { status, progress, error: known } = job;
    const { done, total, word: said, percent } = progress;
    const error = known?.code === status ? null : known;
    const isShown = percent != null && !isEnded(status);
    this.bar.hidden = !isShown;
    if (isShown) showBar(this.bar, progress);
    const counted = isInPart(job) ? "" : total ? word("of", { done: count(done), total: count(total) }) : done ? count(done) : "";
    const wrong = error && (errorWord(error) ? [errorWord(error)] : [error.code, error.message.replace(`${error.code}: `, "")]);
    const told = wrong && status !== "running" ? wrong : [counted, said];
    const text = told.filter(Boolean).join(" · ");
    setText(this.text, text);
    this.text.title = text;
    this.text.classList.toggle("wrong", Boolean(error) && status !== "running");
  }

  tick(now) {
    setText(this.cells.asked, age(now - Date.parse(this.job.created_at)));
    const ran = ranSeconds(this.job, now);
    setText(this.cells.ran, ran == null ? "–" : duration(this.job.status === "running" ? Math.floor(ran) : ran));
  }
}

export function showBar(bar, { done, total, percent, word: said }) {
  bar.firstElementChild.style.transform = `scaleX(${percent / 100})`;
  bar.setAttribute("aria-valuenow", Math.round(percent));
  bar.setAttribute("aria-label", [word("of", { done: count(done), total: count(total) }), said].filter(Boolean).join(" · "));
}

function attempts({ attempt, max_attempts: most }) {
  return most ? word("attemptOf", { n: attempt, all: most }) : attempt;
}

function cell(name) {
  const isNumber = ["attempt", "ran", "asked"].includes(name);
  const className = `${name}${isNumber ? " number" : ""}${name === "attempt" ? " wide" : ""}`;
  return make(name === "job" ? "th" : "td", { className, attributes: name === "job" ? { role: "rowheader", scope: "row" } : { role: "gridcell" } });
}

export class JobList {
  /** `open(id)` is called when a row is chosen. */
  constructor(frame, { open }) {
    this.frame = frame;
    this.table = frame.querySelector("[data-jobs]");
    this.body = this.table.tBodies[0];
    this.pill = frame.querySelector("[data-arrivals]");
    this.open = open;
    this.rows = new Map();
    this.arrived = new Map();
    this.chosen = null;
    this.isTrimmed = false;
    this.pill.addEventListener("click", () => this.admit({ isAsked: true }));
    addEventListener("scroll", () => this.admit(), { passive: true });
    this.body.addEventListener("pointerleave", () => this.admit());
    this.body.addEventListener("click", (event) => this.click(event));
    setInterval(() => this.tick(), 1000);
  }

  /** All rows anew, newest first. */
  fill(jobs) {
    this.arrived.clear();
    const before = this.rows;
    this.rows = new Map(jobs.map((job) => [job.task_id, before.get(job.task_id) ?? new Row(job)]));
    jobs.forEach((job) => this.rows.get(job.task_id).show(job));
    this.body.replaceChildren(...[...this.rows.values()].map(({ element }) => element));
    this.isTrimmed = false;
    this.mark();
    this.countArrivals();
  }

  /** Jobs behind those that are shown. */
  append(jobs) {
    for (const job of jobs) if (!this.rows.has(job.task_id)) this.insert(job);
    this.mark();
  }

  show(job) {
    if (this.arrived.has(job.task_id)) this.arrived.set(job.task_id, job);
    this.rows.get(job.task_id)?.show(job);
  }

  has(id) {
    return this.rows.has(id) || this.arrived.has(id);
  }

  /** A job that the list did not have; `admit` lets it in. */
  arrive(job) {
    this.arrived.set(job.task_id, job);
  }

  /** It no longer matches: it fades where it stands and goes when nobody is about to click. */
  leave(id) {
    this.arrived.delete(id);
    const row = this.rows.get(id);
    if (!row || row.leaving) return;
    row.element.classList.add("leaving");
    row.leaving = setTimeout(() => this.remove(id), LINGER);
  }

  stay(id) {
    const row = this.rows.get(id);
    if (!row?.leaving) return;
    clearTimeout(row.leaving);
    row.leaving = null;
    row.element.classList.remove("leaving");
  }

  remove(id) {
    const row = this.rows.get(id);
    if (!row?.leaving) return;
    if (this.isWatched() || id === this.chosen) {
      row.leaving = setTimeout(() => this.remove(id), LINGER);
      return;
    }
    this.rows.delete(id);
    row.element.remove();
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
    this.isTrimmed ||= jobs.length > MOST;
    jobs.slice(-MOST).forEach((job) => this.insert(job));
    this.trim();
    this.mark();
  }

  insert(job) {
    const row = new Row(job);
    let next = this.body.firstElementChild;
    while (next && next.dataset.id > job.task_id) next = next.nextElementSibling;
    this.body.insertBefore(row.element, next);
    this.rows.set(job.task_id, row);
  }

  trim() {
    while (this.body.rows.length > MOST) {
      this.rows.delete(this.body.lastElementChild.dataset.id);
      this.body.lastElementChild.remove();
      this.isTrimmed = true;
    }
  }

  isScrolled() {
    return this.frame.getBoundingClientRect().top < 0;
  }

  isWatched() {
    return POINTER.matches && this.body.matches(":hover");
  }

  countArrivals() {
    this.pill.hidden = !this.arrived.size;
    setText(this.pill, word("arrived", { n: count(this.arrived.size) }));
  }

  get last() {
    return this.body.lastElementChild?.dataset.id ?? "";
  }

  // Choice.

  choose(id, { focus = false } = {}) {
    this.chosen = id;
    this.mark();
    const row = this.rows.get(id)?.element;
    if (!row) return;
    if (focus) row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  /** The chosen row, or the first, is the one that the Tab key reaches. */
  mark() {
    const reached = this.rows.has(this.chosen) ? this.chosen : this.body.firstElementChild?.dataset.id;
    for (const row of this.body.rows) {
      row.setAttribute("aria-selected", row.dataset.id === this.chosen);
      row.tabIndex = row.dataset.id === reached ? 0 : -1;
    }
  }

  step(by) {
    const all = [...this.body.rows];
    if (!all.length) return;
    const at = all.findIndex(({ dataset }) => dataset.id === this.chosen);
    const next = at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by));
    this.open(all[next].dataset.id, { focus: true });
  }

  click(event) {
    const row = event.target.closest("tr");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.open(row.dataset.id);
  }

  tick() {
    const now = Date.now();
    if (!document.hidden) this.rows.forEach((row) => row.tick(now));
  }
}

export function isUnfinished({ status }) {
  return !isEnded(status);
}
