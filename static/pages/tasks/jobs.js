// The jobs that the page knows: as the interface told them, moved on by the changes that the stream tells.

import { isEnded } from "./jobstate.js";

const ABOUT_LENGTH = 200; // what is longer is cut there

/** Whether a change is older than what is known: it was overtaken by a read of the interface. */
function isPast(job, change) {
  if (change.attempt < job.attempt) return true;
  if (change.state == null) return job.status !== "running"; // progress alone
  const at = Date.parse(change.at);
  if (job.finished_at) return at < Date.parse(job.finished_at);
  return change.state === "pending" && job.started_at != null && at < Date.parse(job.started_at);
}

/** The job after a change. `isPartial`: there is more to know of it than changes tell, such as an error's words. */
export function changed(job, change) {
  if (isPast(job, change)) return job;
  const next = { ...job, ...progressOf(job, change), attempt: change.attempt, changed: performance.now() };
  if (change.state && change.state !== job.status) Object.assign(next, STATES[change.state]?.(job, change) ?? ended(job, change));
  return next;
}

/** A job that nobody knew, from the first that the stream tells of it. Its id says when it was asked for. */
export function fromChange(change) {
  const created = new Date(parseInt(change.task_id.replaceAll("-", "").slice(0, 12), 16)).toISOString();
  const { task_id, name, about, priority, attempt } = change;
  const fresh = { task_id, name, about, priority, attempt, status: "pending", max_attempts: null, created_at: created };
  const blank = { progress: { done: 0, total: null, word: "", percent: null }, error: null, started_at: null, finished_at: null, outcome: null, done: null, asked: null };
  return { ...changed({ ...fresh, ...blank, cancel_requested: false, execution_time: null }, change), isPartial: true };
}

const STATES = {
  pending: () => ({ status: "pending", started_at: null, finished_at: null, error: null, execution_time: null, cancel_requested: false, isPartial: true }),
  running: (_, { at }) => ({ status: "running", started_at: at, error: null, cancel_requested: false }),
  retrying: (_, { error_code: code }) => ({ status: "retrying", error: code ? { code, message: "" } : null, isPartial: true }),
};

function ended(job, { state, at, error_code: code, outcome = null, done = null, asked = null }) {
  const began = job.status === "running" ? job.started_at : null;
  const seconds = began ? (Date.parse(at) - Date.parse(began)) / 1000 : null;
  const error = code ? { code, message: "" } : null;
  return { status: state, finished_at: at, execution_time: seconds, error, outcome, done, asked, isPartial: !began || error != null };
}

function progressOf(job, change) {
  if (change.progress_done == null) return {};
  const { progress_done: done, progress_total: total, progress_word: said } = change;
  const percent = total ? Math.min(100, (100 * done) / total) : null;
  return { progress: { done, total, word: said, percent } };
}

/** What was read, unless a change came after the reading began. */
export function merged(known, read, begun) {
  return known && known.changed > begun && !(isEnded(read.status) && !isEnded(known.status)) ? { ...read, ...known, max_attempts: read.max_attempts } : read;
}

/** `user`: whose page it is. Of what is not known yet, such as the schedule of a job that the stream told of, none matches. */
export function matches(job, { view, status, outcome, name, symbol, schedule }, user) {
  if (status && job.status !== status) return false;
  if (outcome && job.outcome !== outcome) return false;
  if (view === "mine" && job.asked_by !== user) return false;
  if (view === "scheduled" && !job.schedule) return false;
  if (schedule && job.schedule !== schedule) return false;
  if (name && job.name !== name) return false;
  return !symbol || isAbout(job, symbol) || (isCut(job) && job.foundFor === symbol);
}

function isAbout({ about }, symbol) {
  const wanted = symbol.toUpperCase();
  return about.toUpperCase() === wanted || about.toUpperCase().split(",").includes(wanted);
}

/** Whether it is about more than it says: only the interface knows what else. */
export function isCut({ about }) {
  return about.length >= ABOUT_LENGTH;
}
