// One job: what became of it, its attempts, arguments, rows and result; it can be cancelled and run again from here.

import { make } from "./element.js";
import { setText } from "./frame.js";
import { showBar } from "./joblist.js";
import { endWord, errorWord, isEnded, isInPart, isRetriable, ranSeconds, showState, stateChip, stateWord } from "./jobstate.js";
import { get, post } from "./page.js";
import { share } from "./queue.js";
import { clock, count, duration, moment, word } from "./words.js";

const REASONS = 100; // that are shown; the result has all
const AGAIN = 400; // between two reads of a job that moves

export class JobPane {
  /** `close()` leaves the job, `open(id)` goes to another, `filter(part)` shows others, `told(job)` hands on what was read. */
  constructor(element, { close, open, filter, told, hostOf }) {
    Object.assign(this, { element, close, open, filter, told, hostOf });
    this.id = null;
    this.job = null;
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
    this.id = this.job = null;
    this.rest();
  }

  // With one.

  async show(id, known = null) {
    this.id = id;
    this.job = null;
    this.build(known);
    if (known) this.showHead(known);
    await this.read();
  }

  /** It moved: its head at once, the rest as soon as it is read. */
  changed(job) {
    if (job.task_id !== this.id) return;
    if (this.job) this.showHead(Object.assign(this.job, job));
    this.again ??= setTimeout(() => {
      this.again = null;
      this.read();
    }, AGAIN);
  }

  async read() {
    const { id } = this;
    if (!id) return;
    try {
      const job = await get(`/api/tasks/task/${encodeURIComponent(id)}`);
      const result = job.status === "completed" ? (await get(job.result_url)).result : null;
      if (id !== this.id) return;
      this.job = job;
      this.showHead(job);
      this.showBody(job, result);
      this.told(job);
    } catch (error) {
      if (id === this.id && !this.job) this.fail(error);
    }
  }

  build(known) {
    this.chip = stateChip();
    this.chip.hidden = !known;
    this.name = make("h2", { tabIndex: -1, textContent: known?.name ?? word("task") });
    const back = make("button", { type: "button", className: "back-to-list", dataset: { act: "close" }, textContent: word("back") });
    this.bar = make("span", { className: "progress", hidden: true, attributes: { role: "progressbar" } }, make("i"));
    this.progress = make("p", { className: "progress-text quiet" });
    this.error = make("p", { className: "wrong", hidden: true });
    this.buttons = Object.fromEntries(["cancel", "retry"].map((act) => [act, make("button", { type: "button", className: "button", hidden: true, dataset: { act } }, word(act === "retry" ? "retryJob" : act), make("kbd", { textContent: act[0], ariaHidden: "true" }))]));
    this.said = make("p", { className: "said", attributes: { role: "status" } });
    this.body = make("div", { className: "job-body" }, ...[90, 60, 75, 40].map((width) => make("i", { className: "blank", style: `width:${width}%` })));
    this.element.replaceChildren(back, make("header", {}, this.name, this.chip), make("code", { className: "id", textContent: this.id }), this.bar, this.progress, this.error, make("p", { className: "acts" }, ...Object.values(this.buttons)), this.said, this.body);
  }

  showHead(job) {
    setText(this.name, job.name);
    this.chip.hidden = false;
    showState(this.chip, job);
    const { done, total, percent, word: said } = job.progress;
    this.bar.hidden = percent == null;
    if (percent != null) showBar(this.bar, job.progress);
    setText(this.progress, isInPart(job) ? "" : [total ? word("of", { done: count(done), total: count(total) }) : done ? count(done) : "", said].filter(Boolean).join(" · "));
    const isToldBelow = !job.attempts || job.attempts.at(-1)?.error || job.status === "running" || job.error?.code === "cancelled";
    this.error.hidden = !job.error || Boolean(isToldBelow);
    setText(this.error, job.error ? errorText(job.error) : "");
    this.buttons.cancel.hidden = isEnded(job.status) || job.cancel_requested;
    this.buttons.retry.hidden = !isRetriable(job.status);
    document.title = `${job.name} · ${endWord(job)} · Finstage`;
  }

  showBody(job, result) {
    const parts = [section("timeline", this.timeline(job)), section("arguments", values(job.args))];
    if (Object.keys(job.failed).length) parts.push(section("didNotCome", reasons(job.failed)));
    if (job.wrote.length) parts.push(section("wrote", make("ul", { className: "wrote" }, ...job.wrote.map(wrote))));
    if (job.status === "completed" && result != null) parts.push(section("result", code(result)));
    this.body.replaceChildren(...parts, section("details", this.facts(job)));
  }

  facts(job) {
    const waited = job.attempts[0]?.started_at ? (Date.parse(job.attempts[0].started_at) - Date.parse(job.created_at)) / 1000 : null;
    this.ran = make("span");
    const link = (id) => id && make("a", { href: `/tasks/${id}/`, dataset: { open: id }, textContent: `…${id.slice(-8)}`, title: id });
    const rows = {
      factAbout: job.about.replaceAll(",", ", "),
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
    const wrong = error && make("p", { className: outcome === "cancelled" ? "quiet" : "wrong", textContent: errorText(error) });
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
    this.buttons[act].disabled = true;
    try {
      const { status } = await post(`/api/tasks/task/${id}/${act}`);
      this.say(act === "retry" ? "doneRetried" : status === "cancelled" ? "doneCancelled" : "doneAsked");
    } catch (error) {
      this.say("actFailed", { reason: [error.message, error.requestId && word("request", { id: error.requestId })].filter(Boolean).join(" · ") }, true);
    }
    this.buttons[act].disabled = false;
    if (id === this.id) await this.read();
  }

  say(key, values = {}, isWrong = false) {
    setText(this.said, word(key, values));
    this.said.classList.toggle("wrong", isWrong);
  }

  fail(error) {
    const again = make("button", { type: "button", className: "button", dataset: { act: "again" }, textContent: word("retry") });
    const detail = [error.message, error.requestId && word("request", { id: error.requestId })].filter(Boolean).join(" · ");
    this.body.replaceChildren(make("div", { className: "pane-failed" }, make("p", { textContent: word("jobMissing") }), make("small", { className: "quiet", textContent: detail }), again));
  }

  click({ target }) {
    const act = target.closest("[data-act]")?.dataset.act;
    if (act === "close") this.close();
    else if (act === "again") this.show(this.id);
    else if (act) this.act(act);
    const name = target.closest("[data-name]")?.dataset.name;
    if (name) this.filter({ name });
    const children = target.closest("[data-children]");
    if (children) this.filter({ parent: children.dataset.children });
  }
}

function kind({ name, count: ended, partial, waiting_seconds: waited, running_seconds: ran, window_success_rate: rate }) {
  const line = (...parts) => make("p", { className: "quiet" }, parts.join(" · "));
  const times = line(word("kindWaited", { time: duration(waited.p95) }), word("kindRan", { time: duration(ran.p95) }));
  const button = make("button", { type: "button", className: "link", dataset: { name }, textContent: name });
  return make("li", {}, button, line(word("kindEnded", { n: count(ended) }), word("endedWell", { percent: share(rate) }), ...(partial ? [word("inPart", { n: count(partial) })] : [])), times);
}

function errorText({ code: name, message }) {
  const known = errorWord({ code: name });
  if (known || !message) return known ?? name;
  return message.startsWith(name) ? message : `${name}: ${message}`;
}

function section(key, content) {
  return make("section", {}, make("h3", { textContent: word(key) }), content);
}

function step(state, title, facts = "", outcome = "") {
  const head = make("p", {}, make("b", { textContent: title }), outcome && make("span", { className: "outcome", textContent: outcome }));
  return make("li", { dataset: { job: state } }, make("i", { className: "shape", ariaHidden: "true" }), head, facts ? make("p", { className: "quiet", textContent: facts }) : null);
}

function values(args) {
  const entries = Object.entries(args);
  if (!entries.length) return make("p", { className: "quiet", textContent: word("noArguments") });
  const text = (value) => (typeof value === "string" ? value : Array.isArray(value) && value.every((each) => typeof each === "string") ? value.join(", ") : JSON.stringify(value));
  return make("dl", { className: "arguments" }, ...entries.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: text(value) }))));
}

function reasons(failed) {
  const all = Object.entries(failed);
  const rest = all.length > REASONS ? [make("p", { className: "quiet", textContent: word("andOthers", { n: count(all.length - REASONS) }) })] : [];
  const lines = all.slice(0, REASONS).map(([name, why]) => make("div", {}, make("dt", { textContent: name }), make("dd", { className: "wrong", textContent: why })));
  return make("div", {}, make("dl", { className: "arguments" }, ...lines), ...rest);
}

function wrote({ model, count: rows, first, last }) {
  const range = first == null ? null : make("span", { className: "quiet", textContent: word("fromTo", { first: plain(first), last: plain(last) }) });
  return make("li", {}, make("b", { textContent: model }), ` ${word("rows", { n: count(rows) })} `, range);
}

function plain(value) {
  return Array.isArray(value) ? value.join(" ") : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function code(value) {
  return make("pre", { tabIndex: 0, textContent: typeof value === "string" ? value : JSON.stringify(value, null, 2) });
}
