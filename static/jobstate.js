// The state of a job: a hue, a shape and a word.

import { make } from "./element.js";
import { setText } from "./frame.js";
import { count, word } from "./words.js";

const ENDED = new Set(["completed", "failed", "cancelled", "timed_out"]);
const RETRIABLE = new Set(["failed", "cancelled", "timed_out"]);

const TOLD = { previous_failed: "previousFailed", rights_ended: "rightsEnded" };

export const isEnded = (status) => ENDED.has(status);
export const isRetriable = (status) => RETRIABLE.has(status);

/** The word for a state, or for how an attempt went. */
export function stateWord(status) {
  return word(`job${status[0].toUpperCase()}${status.slice(1)}`);
}

/** What went wrong in the page's own words, where it has some. */
export function errorWord({ code }) {
  return TOLD[code] && word(TOLD[code]);
}

export function stateChip() {
  return make("span", { className: "job-state" }, make("i", { className: "shape", ariaHidden: "true" }), make("span"));
}

export function showState(chip, job) {
  const isCancelling = job.cancel_requested && job.status === "running";
  chip.dataset.job = isCancelling ? "cancelling" : isInPart(job) ? "partial" : job.status;
  setText(chip.lastElementChild, isCancelling ? stateWord("cancelling") : endWord(job));
}

/** The word for where a job stands; of one that came in part, with how much of it did. */
export function endWord(job) {
  return isInPart(job) ? word("jobPartial", { done: count(job.done), asked: count(job.asked) }) : stateWord(job.status);
}

/** Whether it completed, and a part of it failed. How far it got says less then than how much came. */
export function isInPart({ status, outcome }) {
  return status === "completed" && outcome === "partial";
}

/** How long its newest attempt runs or ran, in seconds; null where none did. */
export function ranSeconds(job, now = Date.now()) {
  if (!job.started_at || job.status === "pending" || job.status === "retrying") return null;
  if (job.status === "running") return Math.max(0, (now - Date.parse(job.started_at)) / 1000);
  return job.execution_time ?? null;
}
