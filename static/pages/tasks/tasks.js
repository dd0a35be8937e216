// The page of the jobs: the queue in figures, the list as it moves, one job beside it, and a form that asks for more.

import { acts } from "./acts.js";
import { make } from "../../components/element.js";
import { Filters } from "./filters.js";
import { showConnection } from "../../components/connection.js";
import { JobForm } from "./jobform.js";
import { Hour } from "./hour.js";
import { JobList } from "./joblist.js";
import { JobPane } from "./jobpane.js";
import { changed, fromChange, isCut, matches, merged } from "./jobs.js";
import { isUnfinished } from "./jobstate.js";
import { watchKeys } from "../../components/keys.js";
import { get, page } from "../../components/page.js";
import { Queue } from "./queue.js";
import { isLogin, loginAddress, tellLoggedOut } from "../../components/rights.js";
import { States } from "../../components/states.js";
import { Stream } from "../../stream/stream.js";
import { titleOf } from "./titles.js";
import { word } from "../../words/words.js";

const PAGE = 100;
const MOST = 1000;
const FORGET_FROM = 5000;
const COMPLETE_EVERY = 1000; // reads what changes do not tell, while there is such
const POLL_BUSY = 2000; // for those to whom the stream tells nothing
const POLL_AT_REST = 10_000;
const TRY_AGAIN = 8000;
const HEARD_WITHIN = 400; // so long the first reading waits for the stream: one that came before it is made again

const frame = document.querySelector("[data-frame]");
const board = document.querySelector("[data-board]");
const part = (name) => frame.querySelector(`[data-${name}]`);
const stream = new Stream();
const jobs = new Map();
let next = null;
let reading = 0;
let isRead = false; // the list shows what is asked for
let isOver = false; // the login that opened the page has ended
let isPolled = false;
let heard = null;
const isHeard = new Promise((resolve) => {
  heard = resolve;
  setTimeout(resolve, HEARD_WITHIN);
});
let listPlace = 0; // where the list was left on a narrow screen, which shows either it or one job

const filters = new Filters(document.querySelector("[data-filters]"), () => {
  remember("replace");
  begin();
});
const list = new JobList(frame, { open, marked: (chosen) => bar.show(chosen), isFolded });
const states = new States(frame, list.element);
const hour = new Hour(document.querySelector("[data-hour]"));
const pane = new JobPane(document.querySelector("[data-pane]"), {
  close: () => open(null),
  open,
  filter: (asked) => {
    open(null);
    filters.clear();
    filters.set(asked);
  },
  told: (job, begun) => learned(job, begun),
  edit: ({ name, args, priority, timeout }) => form.open({ like: { task: name, args, priority, timeout } }),
  act: (act, chosen) => does(act, chosen),
  hostOf: (id) => queue?.hosts.get(id),
});
pane.isStaff = page.is_staff;
pane.mayAsk = (name) => form.knows(name);
const queue = page.is_staff ? new Queue({ jobOf: (id) => jobs.get(id) ?? learn(id), told: takeFigures }) : null;
const { does, bar } = acts(document.querySelector("p[data-marked]"), { done: readOne });
const form = new JobForm(document.querySelector("[data-form-dialog]"), { submitted });

// The address.

function taskInAddress() {
  return location.pathname.match(/^\/tasks\/([^/]+)\/$/)?.[1] ?? null;
}

/** The runs of a schedule are one line where all are wanted that there are. */
function isFolded() {
  const { status, outcome, symbol, parent, schedule } = filters.asked;
  return !(status || outcome || symbol || parent || schedule);
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
  const before = filters.query();
  filters.read();
  open(taskInAddress(), { how: "none" });
  if (filters.query() === before) read();
  else begin();
});

// The list.

/** Others are asked for: none of the last stays under their name. */
function begin() {
  isRead = false;
  next = null;
  list.fill([]);
  part("older").hidden = true;
  states.loading();
  read();
}

async function read({ isMore = false } = {}) {
  const begun = performance.now();
  const turn = ++reading;
  try {
    const told = await get(`/api/tasks/tasks${filters.query({ limit: Math.min(MOST, Math.max(PAGE, list.size + (isMore ? PAGE : 0))) })}`);
    if (turn !== reading) return;
    const found = told.results.map((job) => known(job, begun)).filter(isWanted);
    const older = told.next ? behind(told.results.at(-1)) : [];
    if (!older.length) ({ next } = told);
    list.fill([...since(begun), ...found, ...older]);
    isRead = true;
    states.renewed();
    settle();
  } catch (error) {
    if (turn === reading) fail(error);
  }
}

/** What came while the list was on its way, and so may be missing in it. */
function since(begun) {
  return [...list.jobs.values(), ...list.arrived.values()].filter(({ changed: at }) => at > begun).filter(isWanted);
}

/** Older ones that are shown stay, whatever of the newer was read again. */
function behind({ task_id: last }) {
  return list.isTrimmed ? [] : [...list.jobs.values()].filter(({ task_id: id }) => id < last).filter(isWanted);
}

/** Older ones behind the last; where the list was cut short at its end, all of it again. */
async function readOlder() {
  if (list.isTrimmed) return read({ isMore: true });
  const [begun, asked, last] = [performance.now(), filters.query(), list.last];
  const { pathname, search } = new URL(next);
  try {
    const told = await get(pathname + search);
    if (filters.query() !== asked || !isRead) return null;
    if (list.last !== last) return readOlder(); // it ends elsewhere by now
    ({ next } = told);
    list.append(told.results.map((job) => known(job, begun)));
    settle();
  } catch (error) {
    if (filters.query() === asked) fail(error, readOlder);
  }
  return null;
}

/** A job as it was read for the filter, unless the stream has told newer of it meanwhile. */
function known(job, begun) {
  const newest = { ...merged(jobs.get(job.task_id), job, begun), foundFor: filters.asked.symbol };
  jobs.set(job.task_id, newest);
  return newest;
}

/** The same of one that was read by itself. */
function learned(job, begun) {
  const before = jobs.get(job.task_id);
  const newest = { ...merged(before, job, begun), foundFor: before?.foundFor };
  keep(newest);
  return newest;
}

function readOne(id) {
  const begun = performance.now();
  return get(`/api/tasks/task/${id}`).then((job) => learned(job, begun), () => {});
}

function settle() {
  if (!isRead) return;
  part("older").hidden = !next && !list.isTrimmed;
  if (list.size || list.arrived.size) states.filled();
  else if (filters.isSet) states.empty(word("noneMatch"), word("noneMatchText"), [word("clear"), () => filters.clear()]);
  else states.empty(word("noneTitle"), word(page.is_staff ? "noneStaff" : "noneUser"), form.kinds.length ? [word("newTask"), () => form.open()] : null);
}

function isWanted(job) {
  return matches(job, filters.asked, page.user);
}

let trying = null;
function fail(error, again = read) {
  if (isLogin(error)) {
    tellLoggedOut();
    return;
  }
  if (isRead) states.late(error, () => again());
  else states.failed(word("listFailed"), error, begin);
  clearTimeout(trying);
  if (again === read) trying = setTimeout(() => document.hidden || isOver || read(), TRY_AGAIN);
}

/** Jobs belong to people: with the login goes what it showed. */
function leaveOff(event) {
  event.preventDefault();
  isOver = true;
  queue?.stop();
  hour.stop();
  form.dialog.close();
  const again = make("a", { className: "button primary", href: loginAddress(), textContent: word("logInAgain") });
  const said = make("div", { className: "empty entry", attributes: { role: "alert" } }, make("h1", { textContent: word("loggedOut") }), make("p", { textContent: word("loggedOutText") }), make("p", {}, again));
  board.replaceWith(said);
  document.title = `${word("tasks")} · Finstage`;
}

// What moves.

function take({ jobs: changes, is_whole: isWhole }) {
  if (isWhole === false) {
    readSoon();
    return;
  }
  changes.forEach(takeOne);
  if (isRead) list.admit();
  settle();
  forget();
  completeSoon();
  queue?.readSoon();
  hour.readSoon();
}

/** What came before the stream told of anything is in a list that is read from here on, and may be missing in one before. */
function begun({ stream: name }) {
  if (name !== "jobs") return;
  heard();
  if (reading) readSoon();
}

function takeOne(change) {
  const before = jobs.get(change.task_id);
  if (!before && (change.state == null || (filters.asked.parent && !list.has(change.task_id)))) return;
  if (!before && (filters.asked.view || filters.asked.schedule || (filters.asked.symbol && isCut(change)))) readSoon();
  keep(before ? changed(before, change) : fromChange(change), { isNews: true });
}

/** Put a job where it belongs: into its row, on top of the list, or out of it. */
function keep(job, { isNews = false } = {}) {
  jobs.set(job.task_id, job);
  titleOf(job);
  if (isNews) pane.changed(job);
  if (list.has(job.task_id)) {
    list.show(job);
    if (isWanted(job)) list.stay(job.task_id);
    else list.leave(job.task_id);
  } else if (isWanted(job) && isNews && isOfThisPart(job)) {
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
  asked.clear();
  for (const id of jobs.keys()) if (!list.has(id) && id !== pane.id) jobs.delete(id);
}

/** A job that is named somewhere and that the list has not: asked for once. */
const asked = new Set();
function learn(id) {
  if (asked.has(id)) return;
  asked.add(id);
  get(`/api/tasks/task/${id}`).then((job) => {
    if (!jobs.has(id)) jobs.set(id, job);
    queue.nameAgain();
  }, () => asked.delete(id));
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
    const [begun, asked] = [performance.now(), filters.query({ limit: PAGE })];
    const { results } = await get(`/api/tasks/tasks${asked}`);
    if (filters.query({ limit: PAGE }) !== asked) return;
    results.forEach((job) => keep(known(job, begun)));
    for (const { task_id: id } of lacking().slice(0, 5)) await readOne(id);
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
  pane.rest(kinds.filter(({ count: ended }) => ended));
}

function poll() {
  isPolled = true;
  const isBusy = [...list.jobs.values()].some(isUnfinished);
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
  if (job) {
    job.changed = performance.now();
    if (!list.jobs.has(id)) { // also where the stream was first, and it waits to be let in
      list.arrive(job);
      list.admit({ isAsked: true });
    }
    keep(job);
  }
  settle();
  open(id, { focus: true });
}

watchKeys({
  ...list.choice.acts(),
  ArrowLeft: () => list.stepRun(-1),
  ArrowRight: () => list.stepRun(1),
  Enter: () => (pane.id ? pane.name.focus() : list.choice.step(0)),
  Escape: () => (bar.isShown ? list.choose(pane.id) || bar.show([]) : pane.id && open(null)),
  c: () => (bar.isShown ? bar.act("cancel") : pane.act("cancel")),
  r: () => (bar.isShown ? bar.act("retry") : pane.act("retry")),
  e: () => pane.act("edit"),
  n: () => isOver || form.open({ name: filters.asked.name }),
  f: () => filters.focus(),
}, [
  [["j", "k", "↓", "↑"], word("keyMove")],
  [["Enter"], word("keyOpen")],
  [["←", "→"], word("keyRuns")],
  [["Shift"], word("keyMark")],
  [["c"], word("keyCancel")],
  [["r"], word("keyRetry")],
  [["e"], word("keyEdit")],
  [["n"], word("keyNew")],
  [["f"], word("keyFilter")],
]);

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-open]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link.dataset.open);
});

/** /tasks/#new asks for the form. */
function openAsked() {
  if (location.hash !== "#new" || isOver || !form.kinds.length) return;
  history.replaceState({}, "", location.pathname + location.search);
  form.open({ name: filters.asked.name });
}

/** Without the kinds there is no form; they are asked for until they come. */
async function readKinds() {
  try {
    await form.load();
  } catch (error) {
    if (!isOver && !isLogin(error)) setTimeout(readKinds, TRY_AGAIN);
    return;
  }
  document.querySelector("[data-new]").hidden = !form.kinds.length;
  filters.name(form.kinds.map(({ name }) => name));
  openAsked();
  list.refill(); // with the titles
  if (isRead) settle();
  if (pane.job) pane.showHead(pane.job);
  pane.rest();
}

async function start() {
  showConnection(stream);
  pane.rest([]);
  const first = taskInAddress();
  if (first) open(first, { how: "none" });
  part("older").addEventListener("click", () => readOlder());
  document.querySelector("[data-new]").addEventListener("click", () => form.open({ name: filters.asked.name }));
  readKinds();
  addEventListener("hashchange", openAsked);
  if (page.is_staff) {
    stream.on("jobs", take).on("lost", readSoon).on("epoch", readSoon).on("begun", begun).subscribe("jobs");
    document.addEventListener("visibilitychange", () => document.hidden || readSoon());
  }
  document.addEventListener("loggedout", leaveOff);
  stream.on("ended", () => isOver || isPolled || poll());
  stream.subscribe("system").open();
  await Promise.all([(page.is_staff ? isHeard : Promise.resolve()).then(() => reading || read()), queue?.read(), hour.read()]);
  list.choose(pane.id);
  queue?.nameAgain();
  if (queue && pane.job) pane.read(); // now that the workers' hosts are known
  if (!page.is_staff) poll();
}

start();
