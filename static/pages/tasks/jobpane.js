// One job: what became of it, its attempts, arguments, rows and result; it can be cancelled and run again from here.

import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { showBar } from "./jobrow.js";
import { endWord, errorSays, isEnded, isInPart, isRetriable, ranSeconds, showState, stateChip, stateWord } from "./jobstate.js";
import { get } from "../../components/page.js";
import { share } from "./queue.js";
import { resultTable } from "./resulttable.js";
import { reason } from "../../components/states.js";
import { titleOf } from "./titles.js";
import { clock, count, duration, moment, word } from "../../words/words.js";

const REASONS = 100; // that are shown; the result has all
const AGAIN = 400; // between two reads of a job that moves
const TRY_AGAIN = 8000;

export class JobPane {
  /**
   * `close()` leaves the job, `open(id)` goes to another, `filter(part)` shows others, `told(job, begun)` hands on what was
   * read since, and gives the newest that is known by then, `edit(job)` asks for one like it, `act(act, jobs)` cancels or runs again.
   */
  constructor(element, { close, open, filter, told, edit, act, hostOf }) {
    Object.assign(this, { element, close, open, filter, told, edit, does: act, hostOf });
    this.id = this.known = this.job = null;
    this.asked = this.answered = 0; // reads
    this.kinds = [];
    element.addEventListener("click", (event) => this.click(event));
    setInterval(() => this.tick(), 1000);
  }

  // Without a job: the last hour by name.

  rest(kinds = this.kinds) {
    this.kinds = kinds;
    if (this.id) return;
    const table = kinds.length ? make("ul", { className: "by-name" }, ...kinds.map(kind)) : null;
    const parts = this.isStaff ? [make("h2", { textContent: word("byName") }), table ?? make("p", { className: "quiet", textContent: word("nothingEnded") })] : [];
    this.element.replaceChildren(...parts, make("p", { className: "quiet", textContent: word("choose") }));
  }

  leave() {
    this.id = this.known = this.job = null;
    this.rest();
  }

  // With one.

  async show(id, known = null) {
    this.id = id;
    this.known = known;
    this.job = null;
    this.build(known);
    if (known) this.showHead(known);
    await this.read();
  }

  /** It moved: its head at once, the rest as soon as it is read. */
  changed(job) {
    if (job.task_id !== this.id) return;
    if (this.job) this.showHead(Object.assign(this.job, job));
    else if (this.known) this.showHead((this.known = job));
    this.again ??= setTimeout(() => {
      this.again = null;
      this.read();
    }, AGAIN);
  }

  async read() {
    const { id } = this;
    if (!id) return;
    const [turn, begun] = [++this.asked, performance.now()];
    clearTimeout(this.later);
    try {
      const job = await get(`/api/tasks/task/${encodeURIComponent(id)}`);
      const came = job.status === "completed" ? await get(job.result_url).catch((error) => ({ error })) : {};
      if (id !== this.id || turn < this.answered) return;
      this.answered = turn; // an answer that was asked for earlier is older, whenever it comes
      this.job = this.told(job, begun);
      this.showHead(this.job);
      this.showBody(job, came);
      if (came.error) this.readLater(came.error);
    } catch (error) {
      if (id !== this.id || turn < this.answered) return;
      if (!this.job) this.fail(error);
      this.readLater(error);
    }
  }

  /** What is refused stays so; all else may come yet. */
  readLater({ status = 503 }) {
    if (status < 500 && status !== 429) return;
    clearTimeout(this.later);
    this.later = setTimeout(() => (document.hidden ? this.readLater({}) : this.read()), TRY_AGAIN);
  }

  build(known) {
    this.chip = stateChip();
    this.chip.hidden = !known;
    this.name = make("h2", { tabIndex: -1, textContent: known ? titleOf(known) || known.name : word("task") });
    this.code = make("code", { className: "code" });
    const back = make("button", { type: "button", className: "back-to-list", dataset: { act: "close" }, textContent: word("back") });
    this.bar = make("span", { className: "progress", hidden: true, attributes: { role: "progressbar" } }, make("i"));
    this.progress = make("p", { className: "progress-text quiet" });
    this.error = make("div", { className: "why", hidden: true });
    const words = { cancel: "cancel", retry: "retryJob", edit: "editJob" };
    this.buttons = Object.fromEntries(Object.entries(words).map(([act, said]) => [act, make("button", { type: "button", className: "button", hidden: true, dataset: { act } }, word(said), make("kbd", { textContent: act[0], ariaHidden: "true" }))]));
    this.body = make("div", { className: "job-body" }, ...[90, 60, 75, 40].map((width) => make("i", { className: "blank", style: `width:${width}%` })));
    this.element.replaceChildren(back, make("header", {}, this.name, this.chip), make("p", { className: "codes" }, this.code, make("code", { className: "id", textContent: this.id })), this.bar, this.progress, this.error, make("p", { className: "acts" }, ...Object.values(this.buttons)), this.body);
  }

  showHead(job) {
    const title = titleOf(job);
    setText(this.name, title || job.name);
    setText(this.code, title ? job.name : "");
    this.chip.hidden = false;
    showState(this.chip, job);
    const { done, total, percent, word: said } = job.progress;
    this.bar.hidden = percent == null || isEnded(job.status);
    if (!this.bar.hidden) showBar(this.bar, job.progress);
    setText(this.progress, isInPart(job) ? "" : [total ? word("of", { done: count(done), total: count(total) }) : done ? count(done) : "", said].filter(Boolean).join(" · "));
    const isToldBelow = !job.attempts || job.attempts.at(-1)?.error || job.status === "running" || job.error?.code === "cancelled";
    this.error.hidden = !job.error || Boolean(isToldBelow);
    this.error.replaceChildren(...(job.error ? why(job.error) : []));
    this.buttons.cancel.hidden = isEnded(job.status) || job.cancel_requested;
    this.buttons.retry.hidden = !isRetriable(job.status);
    this.buttons.edit.hidden = !job.args || !this.mayAsk?.(job.name);
    document.title = `${title || job.name} · ${endWord(job)} · Finstage`;
  }

  showBody(job, { result, error }) {
    const parts = [section("timeline", this.timeline(job)), section("arguments", values(job.args))];
    if (job.failures.length) parts.push(section("didNotCome", reasons(job.failures)));
    if (job.wrote.length) parts.push(section("wrote", make("ul", { className: "wrote" }, ...job.wrote.map(wrote))));
    if (error) parts.push(section("result", make("p", { className: "quiet" }, word("notCome"), " ", reason(error))));
    if (job.status === "completed" && result != null) parts.push(section("result", resultTable(result)));
    this.body.replaceChildren(...parts, section("details", this.facts(job)));
  }

  facts(job) {
    const waited = job.attempts[0]?.started_at ? (Date.parse(job.attempts[0].started_at) - Date.parse(job.created_at)) / 1000 : null;
    this.ran = make("span");
    const link = (id) => id && make("a", { href: `/tasks/${id}/`, dataset: { open: id }, textContent: `…${id.slice(-8)}`, title: id });
    const rows = {
      factAbout: job.about.replaceAll(",", ", "),
      factAskedBy: job.schedule ? null : (job.asked_by ?? word("bySystem")),
      factSchedule: job.schedule && make("button", { type: "button", className: "link", dataset: { schedule: job.schedule }, textContent: job.schedule }),
      factWorker: job.status === "running" && job.worker_id ? (this.hostOf(job.worker_id) ?? job.worker_id.slice(0, 8)) : null,
      factRan: this.ran,
      factWaited: waited == null ? null : duration(Math.max(0, waited)),
      factAttempts: word("attemptOf", { n: job.attempt, all: job.max_attempts }),
      factPriority: word(`priority${job.priority[0].toUpperCase()}${job.priority.slice(1)}`),
      factLimit: duration(job.timeout),
      factPlace: job.isolated ? word("isolated") : null,
      factCondition: job.condition && `${job.condition.name} ${JSON.stringify(job.condition.arguments)}`,
      factParent: link(job.parent),
      factThen: link(job.then),
      factChildren: job.children && make("button", { type: "button", className: "link", dataset: { children: job.task_id }, textContent: word("showChildren") }),
    };
    const lines = Object.entries(rows).filter(([, value]) => value);
    this.tick();
    return make("dl", { className: "figures" }, ...lines.map(([key, value]) => make("div", {}, make("dt", { textContent: word(key) }), make("dd", {}, value))));
  }

  /** From the asking to the end, or to what comes next. */
  timeline(job) {
    const steps = [step("asked", word("askedFor"), moment(job.created_at))];
    for (const each of job.attempts) steps.push(this.attempt(each));
    if (isEnded(job.status) && job.attempts.at(-1)?.outcome !== job.status) steps.push(step(job.status, stateWord(job.status), moment(job.finished_at)));
    else if (job.waits_for) steps.push(step("pending", word("waitsFor", { n: count(job.waits_for) })));
    else if (job.status === "pending" && Date.parse(job.not_before) > Date.now()) steps.push(step("pending", word("starts"), moment(job.not_before)));
    else if (job.status === "pending") steps.push(step("pending", word("waits")));
    else if (job.status === "retrying") steps.push(step("retrying", word("nextAttempt"), moment(job.not_before)));
    return make("ol", { className: "timeline" }, ...steps);
  }

  attempt({ number, worker_id: worker, started_at: from, ended_at: to, outcome, error }) {
    const seconds = from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : null;
    const times = to ? [from && clock(from), "–", clock(to)].filter(Boolean).join(" ") : word("still", { time: clock(from) });
    const facts = [times, seconds == null ? "" : duration(seconds), worker && (this.hostOf(worker) ?? worker.slice(0, 8))].filter(Boolean).join(" · ");
    const wrong = error && make("div", { className: outcome === "cancelled" ? "why quiet" : "why" }, ...why(error));
    const made = step(outcome, word("attempt", { n: number }), facts, outcome === "retrying" ? word("triedAgain") : stateWord(outcome));
    if (wrong) made.append(wrong);
    made.title = [from, to].filter(Boolean).map(moment).join(" – ");
    return made;
  }

  tick() {
    if (!this.job && !this.ran) return;
    const ran = this.job && ranSeconds(this.job);
    setText(this.ran, ran == null ? "–" : duration(this.job.status === "running" ? Math.floor(ran) : ran));
  }

  // Acts.

  async act(act) {
    if (!this.id || this.buttons[act].hidden || this.buttons[act].disabled) return;
    const { id } = this;
    const job = this.job ?? this.known; // its head is shown, and can be acted upon, before it is read
    if (act === "edit") {
      this.edit(job);
      return;
    }
    const button = this.buttons[act];
    button.disabled = true;
    try {
      await this.does(act, [job]);
    } finally {
      button.disabled = false;
    }
    if (id === this.id) await this.read();
  }

  fail(error) {
    const again = make("button", { type: "button", className: "button", dataset: { act: "again" }, textContent: word("retry") });
    this.body.replaceChildren(make("div", { className: "pane-failed" }, make("p", { textContent: word("jobMissing") }), make("small", { className: "quiet", textContent: reason(error) }), again));
  }

  click({ target }) {
    const act = target.closest("[data-act]")?.dataset.act;
    if (act === "close") this.close();
    else if (act === "again") this.show(this.id, this.known);
    else if (act) this.act(act);
    const name = target.closest("[data-name]")?.dataset.name;
    if (name) this.filter({ name });
    const children = target.closest("[data-children]");
    if (children) this.filter({ parent: children.dataset.children });
    const schedule = target.closest("[data-schedule]");
    if (schedule) this.filter({ schedule: schedule.dataset.schedule });
  }
}

function kind({ name, count: ended, partial, waiting_seconds: waited, running_seconds: ran, window_success_rate: rate }) {
  const line = (...parts) => make("p", { className: "quiet" }, parts.join(" · "));
  const times = line(word("kindWaited", { time: duration(waited.p95) }), word("kindRan", { time: duration(ran.p95) }));
  const title = titleOf({ name });
  const button = make("button", { type: "button", className: "link", dataset: { name }, textContent: title || name });
  const well = rate - (100 * partial) / ended; // what came in part did not end well
  return make("li", {}, button, title ? make("code", { textContent: name }) : null, line(word("kindEnded", { n: count(ended) }), word("endedWell", { percent: share(well) }), ...(partial ? [word("inPart", { n: count(partial) })] : [])), times);
}

/** What happened, what to do, and beside it the code with the text that the job left. */
function why(error) {
  const { code: name, message, says, remedy } = error;
  const left = says && message && !says.includes(message) ? make("small", { className: "quiet", lang: "en", textContent: message }) : null;
  const parts = [make("p", { className: "says" }, errorSays(error), " ", make("code", { textContent: name })), remedy ? make("p", { textContent: remedy }) : null, left];
  return parts.filter(Boolean);
}

function section(key, content) {
  return make("section", {}, make("h3", { textContent: word(key) }), content);
}

function step(state, title, facts = "", outcome = "") {
  const head = make("p", {}, make("b", { textContent: title }), outcome && make("span", { className: "outcome", textContent: outcome }));
  return make("li", { dataset: { badge: state } }, make("i", { className: "shape", ariaHidden: "true" }), head, facts ? make("p", { className: "quiet", textContent: facts }) : null);
}

function values(args) {
  const entries = Object.entries(args);
  if (!entries.length) return make("p", { className: "quiet", textContent: word("noArguments") });
  const text = (value) => (typeof value === "string" ? value : Array.isArray(value) && value.every((each) => typeof each === "string") ? value.join(", ") : JSON.stringify(value));
  return make("dl", { className: "arguments" }, ...entries.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: text(value) }))));
}

function reasons(all) {
  const rest = all.length > REASONS ? [make("p", { className: "quiet", textContent: word("andOthers", { n: count(all.length - REASONS) }) })] : [];
  const lines = all.slice(0, REASONS).map((each) => make("div", {}, make("dt", { textContent: each.name }), make("dd", { className: "why" }, ...why(each))));
  return make("div", {}, make("dl", { className: "arguments" }, ...lines), ...rest);
}

function wrote({ model, count: rows, first, last }) {
  const range = first == null ? null : make("span", { className: "quiet", textContent: word("fromTo", { first: plain(first), last: plain(last) }) });
  return make("li", {}, make("b", { textContent: model }), ` ${word("rows", { n: count(rows) })} `, range);
}

function plain(value) {
  return Array.isArray(value) ? value.join(" ") : typeof value === "object" ? JSON.stringify(value) : String(value);
}
