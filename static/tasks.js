// The page of the jobs: the queue in figures, the list as it moves, one job beside it, and a form that asks for more.

import { button, make } from "./element.js";
import { Filters } from "./filters.js";
import { showConnection } from "./frame.js";
import { JobForm } from "./jobform.js";
import { JobList, isUnfinished } from "./joblist.js";
import { JobPane } from "./jobpane.js";
import { changed, fromChange, isCut, matches, merged } from "./jobs.js";
import { watchKeys } from "./keys.js";
import { get, page } from "./page.js";
import { Queue } from "./queue.js";
import { isLogin, loginAddress, tellLoggedOut } from "./rights.js";
import { Stream } from "./stream.js";
import { word } from "./words.js";

const PAGE = 100;
const MOST = 1000;
const FORGET_FROM = 5000;
const COMPLETE_EVERY = 1000; // reads what changes do not tell, while there is such
const POLL_BUSY = 2000; // for those to whom the stream tells nothing
const POLL_AT_REST = 10_000;

const frame = document.querySelector("[data-frame]");
const board = document.querySelector("[data-board]");
const part = (name) => frame.querySelector(`[data-${name}]`);
const stream = new Stream();
const jobs = new Map();
let next = null;
let reading = 0;
let isOver = false; // the login that opened the page has ended
let isPolled = false;
let listPlace = 0; // where the list was left on a narrow screen, which shows either it or one job

const filters = new Filters(document.querySelector("[data-filters]"), () => {
  remember("replace");
  read();
});
const list = new JobList(frame, { open });
const pane = new JobPane(document.querySelector("[data-pane]"), {
  close: () => open(null),
  open,
  filter: (asked) => {
    open(null);
    filters.clear();
    filters.set(asked);
  },
  told: (job) => keep(job),
  hostOf: (id) => queue?.hosts.get(id),
});
pane.isStaff = page.is_staff;
const queue = page.is_staff ? new Queue({ nameOf: (id) => jobs.get(id)?.name, told: takeFigures }) : null;
const form = new JobForm(document.querySelector("[data-form-dialog]"), { submitted });

// The address.

function taskInAddress() {
  return location.pathname.match(/^\/tasks\/([^/]+)\/$/)?.[1] ?? null;
}

function remember(how) {
  const path = pane.id ? `/tasks/${pane.id}/` : "/tasks/";
  if (path + filters.query() !== location.pathname + location.search) history[`${how}State`]({}, "", path + filters.query());
}

function open(id, { focus = false, how } = {}) {
  const isNarrow = matchMedia("(max-width: 1279px)").matches;
  const before = pane.id;
  if (id === before) return;
  if (!before) listPlace = scrollY;
  list.choose(id, { focus });
  board.toggleAttribute("data-open", Boolean(id));
  if (id) pane.show(id, jobs.get(id));
  else {
    pane.leave();
    document.title = `${word("tasks")} · Finstage`;
  }
  if (how !== "none") remember(isNarrow && id && !before ? "push" : "replace");
  if (!isNarrow) return;
  scrollTo({ top: id ? 0 : listPlace, behavior: "instant" });
}

addEventListener("popstate", () => {
  filters.read();
  open(taskInAddress(), { how: "none" });
  read();
});

// The list.

async function read() {
  const begun = performance.now();
  const turn = ++reading;
  try {
    const told = await get(`/api/tasks/tasks${filters.query({ limit: Math.min(MOST, Math.max(PAGE, list.isTrimmed ? list.rows.size + PAGE : PAGE)) })}`);
    if (turn !== reading) return;
    ({ next } = told);
    list.fill(told.results.map((job) => known(job, begun)).filter((job) => matches(job, filters.asked)));
    settle();
  } catch (error) {
    if (turn === reading) fail(error);
  }
}

/** Older ones behind the last; where the list was cut short at its end, all of it again. */
async function readOlder() {
  if (list.isTrimmed) return read();
  const begun = performance.now();
  const { pathname, search } = new URL(next);
  try {
    const told = await get(pathname + search);
    ({ next } = told);
    list.append(told.results.map((job) => known(job, begun)));
    settle();
  } catch (error) {
    fail(error);
  }
  return null;
}

/** A job as it was read for the filter, unless the stream has told newer of it meanwhile. */
function known(job, begun) {
  const newest = { ...merged(jobs.get(job.task_id), job, begun), foundFor: filters.asked.symbol };
  jobs.set(job.task_id, newest);
  return newest;
}

function settle() {
  const isEmpty = !list.rows.size && !list.arrived.size;
  frame.setAttribute("aria-busy", "false");
  part("skeleton").hidden = true;
  list.table.hidden = isEmpty;
  part("older").hidden = !next && !list.isTrimmed;
  if (isEmpty) sayEmpty();
  else part("state-box").hidden = true;
}

function sayEmpty() {
  if (filters.isSet) say(word("noneMatch"), word("noneMatchText"), button(word("clear"), () => filters.clear()));
  else say(word("noneTitle"), word(page.is_staff ? "noneStaff" : "noneUser"), form.kinds.length ? button(word("newTask"), () => form.open()) : null);
}

function fail(error) {
  if (isLogin(error)) {
    tellLoggedOut();
    return;
  }
  frame.setAttribute("aria-busy", "false");
  part("skeleton").hidden = true;
  if (list.rows.size) return; // what is shown stays; the line's pill tells that it may be old
  list.table.hidden = true;
  say(word("listFailed"), [error.message, error.requestId && word("request", { id: error.requestId })].filter(Boolean).join(" · "), button(word("retry"), read));
}

/** Jobs belong to people: with the login goes what it showed. */
function leaveOff(event) {
  event.preventDefault();
  isOver = true;
  queue?.stop();
  form.dialog.close();
  const again = make("a", { className: "button primary", href: loginAddress(), textContent: word("logInAgain") });
  const said = make("div", { className: "empty entry", attributes: { role: "alert" } }, make("h1", { textContent: word("loggedOut") }), make("p", { textContent: word("loggedOutText") }), make("p", {}, again));
  board.replaceWith(said);
  document.title = `${word("tasks")} · Finstage`;
}

function say(title, text, button) {
  const box = part("state-box");
  box.replaceChildren(make("p", {}, make("b", { textContent: title })), make("small", { textContent: text }), ...[button].filter(Boolean));
  box.hidden = false;
}

// What moves.

function take({ jobs: changes, is_whole: isWhole }) {
  if (isWhole === false) {
    readSoon();
    return;
  }
  changes.forEach(takeOne);
  list.admit();
  settle();
  forget();
  completeSoon();
  queue?.readSoon();
}

function takeOne(change) {
  const before = jobs.get(change.task_id);
  if (!before && (change.state == null || (filters.asked.parent && !list.has(change.task_id)))) return;
  if (!before && filters.asked.symbol && isCut(change)) readSoon();
  keep(before ? changed(before, change) : fromChange(change), { isNews: true });
}

/** Put a job where it belongs: into its row, on top of the list, or out of it. */
function keep(job, { isNews = false } = {}) {
  jobs.set(job.task_id, job);
  if (isNews) pane.changed(job);
  const isWanted = matches(job, filters.asked);
  if (list.has(job.task_id)) {
    list.show(job);
    if (isWanted) list.stay(job.task_id);
    else list.leave(job.task_id);
  } else if (isWanted && isNews && isOfThisPart(job)) {
    list.arrive(job);
  }
}

/** Whether the list, as far as it reaches, is where the job belongs. */
function isOfThisPart({ task_id: id }) {
  return (id > list.last || !(next || list.isTrimmed)) && !filters.asked.parent;
}

/** Of jobs that nobody looks at nothing is kept. */
function forget() {
  if (jobs.size < FORGET_FROM) return;
  for (const id of jobs.keys()) if (!list.has(id) && id !== pane.id) jobs.delete(id);
}

let completing = null;
function completeSoon() {
  completing ??= setTimeout(complete, COMPLETE_EVERY);
}

/** Read what the shown jobs still lack: all at once, and one by one those that are not among the newest. */
async function complete() {
  completing = null;
  const lacking = () => [...jobs.values()].filter((job) => job.isPartial && list.has(job.task_id));
  if (document.hidden || !lacking().length) return;
  try {
    const begun = performance.now();
    const { results } = await get(`/api/tasks/tasks${filters.query({ limit: PAGE })}`);
    results.forEach((job) => keep(known(job, begun)));
    for (const { task_id: id } of lacking().slice(0, 5)) keep(await get(`/api/tasks/task/${id}`));
  } catch {
    // The next change asks again.
  }
}

let waiting = null;
function readSoon() {
  waiting ??= setTimeout(() => {
    waiting = null;
    read();
    pane.read();
    queue?.readSoon();
  }, 200 + Math.random() * 800);
}

function takeFigures({ status_counts: counts, by_name: kinds }) {
  filters.count(counts);
  filters.name(kinds.map(({ name }) => name));
  pane.rest(kinds);
}

function poll() {
  isPolled = true;
  const isBusy = [...list.rows.values()].some(({ job }) => isUnfinished(job));
  setTimeout(async () => {
    if (isOver) return;
    if (!document.hidden) {
      await read();
      if (pane.job && isUnfinished(pane.job)) await pane.read();
    }
    poll();
  }, isBusy ? POLL_BUSY : POLL_AT_REST);
}

// Asking for more, and keys.

async function submitted(id) {
  const job = await get(`/api/tasks/task/${id}`).catch(() => null);
  if (job && !list.has(id)) {
    list.arrive(job);
    list.admit({ isAsked: true });
  }
  if (job) keep(job);
  settle();
  open(id, { focus: true });
}

watchKeys({
  j: () => list.step(1),
  k: () => list.step(-1),
  ArrowDown: () => list.step(1),
  ArrowUp: () => list.step(-1),
  Enter: () => (pane.id ? pane.name.focus() : list.step(0)),
  Escape: () => pane.id && open(null),
  c: () => pane.act("cancel"),
  r: () => pane.act("retry"),
  n: () => isOver || form.open(filters.asked.name),
  f: () => filters.focus(),
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-open]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link.dataset.open);
});

async function start() {
  showConnection(stream);
  pane.rest([]);
  const asked = taskInAddress();
  if (asked) open(asked, { how: "none" });
  part("older").addEventListener("click", readOlder);
  const opener = document.querySelector("[data-new]");
  opener.addEventListener("click", () => form.open(filters.asked.name));
  form.load().then((kinds) => {
    opener.hidden = !kinds.length;
    filters.name(kinds.map(({ name }) => name));
  }, () => {});
  if (page.is_staff) {
    stream.on("jobs", take).on("lost", readSoon).on("epoch", readSoon).subscribe("jobs");
    document.addEventListener("visibilitychange", () => document.hidden || readSoon());
  }
  document.addEventListener("loggedout", leaveOff);
  stream.on("ended", () => isOver || isPolled || poll());
  stream.subscribe("system").open();
  await Promise.all([read(), queue?.read()]);
  list.choose(pane.id);
  queue?.nameAgain();
  if (queue && pane.job) pane.read(); // now that the workers' hosts are known
  if (!page.is_staff) poll();
}

start();
