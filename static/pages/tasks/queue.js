// The queue in figures, and who works on it.

import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { get, inOrder } from "../../components/page.js";
import { titleOf } from "./titles.js";
import { clock, count, duration, moment, word } from "../../words/words.js";

const box = document.querySelector("[data-queue]");
const list = document.querySelector("[data-workers]");
const LINKS = 3;
const BUSY = 2500;
const AT_REST = 15_000;
const none = document.querySelector("[data-no-workers]");

/** Reads and shows GET /api/tasks/dashboard: while something happens every few seconds, else now and then. */
export class Queue {
  /** `jobOf(id)` is a job that the page knows; `told` gets what was read. */
  constructor({ jobOf, told }) {
    Object.assign(this, { jobOf, told, hosts: new Map(), ask: inOrder(() => get("/api/tasks/dashboard")) });
    this.again = setInterval(() => this.read(), AT_REST);
  }

  stop() {
    clearInterval(this.again);
    clearTimeout(this.soon);
  }

  readSoon() {
    this.soon ??= setTimeout(() => this.read(), BUSY);
  }

  async read() {
    clearTimeout(this.soon);
    const found = document.hidden ? null : await this.ask();
    this.soon = null;
    if (!found) return;
    for (const { worker_id: id, host, pid } of found.worker_stats) this.hosts.set(id, `${host}:${pid}`);
    this.found = found;
    this.show(found);
    this.told(found);
  }

  /** The names of jobs, where the page has learned more of them. */
  nameAgain() {
    if (this.found) showWorkers(this.found.worker_stats, this.jobOf);
  }

  show({ status_counts: counts, throughput, worker_stats: workers, ...found }) {
    const places = workers.filter(({ state }) => state === "running").reduce((sum, { concurrency }) => sum + concurrency, 0);
    const ended = Math.round(throughput.per_minute_last_hour * 60);
    const { completed, failed, timed_out: late } = found.last_hour;
    const all = completed + failed + late; // what was cancelled ended neither way
    figure("waiting", count(counts.pending + counts.retrying), counts.retrying ? word("retryWaiting", { n: count(counts.retrying) }) : "");
    figure("running", count(counts.running), places ? word("slots", { n: count(places) }) : "");
    const well = all ? word("endedWell", { percent: share((100 * (completed - found.partial_last_hour)) / all) }) : "";
    const inPart = found.partial_last_hour ? word("inPart", { n: count(found.partial_last_hour) }) : "";
    figure("ended", count(ended), [well, inPart].filter(Boolean).join(" · "));
    const [five, hour] = [throughput.per_minute_last_5_minutes, throughput.per_minute_last_hour];
    figure("throughput", word("aMinute", { n: count(throughput.per_minute_last_minute, 1) }), word("fiveMinutes", { a: count(five, 1), b: count(hour, 1) }));
    times("waiting", found.waiting_seconds);
    times("running", found.running_seconds);
    showWorkers(workers, this.jobOf);
  }
}

export function share(percent) {
  return `${count(percent, 1)}%`;
}

function figure(name, text, note) {
  setText(box.querySelector(`[data-figure="${name}"]`), text);
  setText(box.querySelector(`[data-note="${name}"]`), note);
}

function times(name, percentiles) {
  const cells = box.querySelectorAll(`[data-times="${name}"] b`);
  ["p50", "p95", "p99"].forEach((rank, index) => setText(cells[index], duration(percentiles[rank])));
}

/** Those at work and those that were lost; the stopped ones are only counted. */
function showWorkers(workers, jobOf) {
  const shown = workers.filter(({ state }) => state !== "stopped");
  const held = new Map([...list.children].map((item) => [item.dataset.worker, item]));
  shown.forEach((worker, index) => {
    const item = held.get(worker.worker_id) ?? blank(worker);
    held.delete(worker.worker_id);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
    showWorker(item, worker, jobOf);
  });
  held.forEach((item) => item.remove());
  const stopped = workers.length - shown.length;
  none.hidden = Boolean(shown.length) && !stopped;
  setText(none, shown.length ? word("workerGone", { n: count(stopped) }) : word("noWorkers"));
}

function blank({ worker_id: id }) {
  const parts = ["state", "host", "now", "facts"].map((name) => make("span", { className: name }));
  parts[0].append(make("i", { className: "shape", ariaHidden: "true" }), make("span"));
  parts[2].append(make("span"), make("span", { className: "links" }));
  return make("li", { dataset: { worker: id } }, ...parts);
}

function showWorker(item, worker, jobOf) {
  const [state, host, now, facts] = item.children;
  const running = worker.current_task_ids;
  item.dataset.state = worker.state === "running" && !running.length ? "idle" : worker.state;
  setText(state.lastElementChild, word(`worker${item.dataset.state[0].toUpperCase()}${item.dataset.state.slice(1)}`));
  setText(host, `${worker.host}:${worker.pid}`);
  host.title = worker.worker_id;
  setText(now.firstElementChild, word("workerSlots", { n: count(running.length), all: count(worker.concurrency) }));
  showJobs(now.lastElementChild, running.slice(0, LINKS), jobOf);
  const well = worker.success_rate === null ? "" : word("workerWell", { percent: share(worker.success_rate) });
  setText(facts, [word("workerProcessed", { n: count(worker.processed_tasks) }), well, word("workerSince", { time: clock(worker.since).slice(0, 5) })].filter(Boolean).join(" · "));
  facts.title = moment(worker.since);
}

/** What a worker is at: the job, what it is about, and how far it is. */
function showJobs(box, ids, jobOf) {
  const links = ids.map((id) => make("a", { href: `/tasks/${id}/`, dataset: { open: id }, textContent: said(jobOf(id)) ?? `…${id.slice(-6)}` }));
  const told = (all) => [...all].map((link) => link.href + link.textContent).join();
  if (told(links) !== told(box.children)) box.replaceChildren(...links);
}

function said(job) {
  if (!job) return null;
  const percent = job.progress?.percent;
  return [titleOf(job) || job.name, job.about.replaceAll(",", ", ").slice(0, 40), percent == null ? "" : `${count(percent)}%`].filter(Boolean).join(" ");
}
