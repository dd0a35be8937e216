// The state of a job: a hue, a shape and a word.

import { make } from "./element.js";
import { setText } from "./frame.js";
import { word } from "./words.js";

const ENDED = new Set(["completed", "failed", "cancelled", "timed_out"]);
const RETRIABLE = new Set(["failed", "cancelled", "timed_out"]);

export const isEnded = (status) => ENDED.has(status);
export const isRetriable = (status) => RETRIABLE.has(status);

/** The word for a state, or for how an attempt went. */
export function stateWord(status) {
  return word(`job${status[0].toUpperCase()}${status.slice(1)}`);
}

export function stateChip() {
  return make("span", { className: "job-state" }, make("i", { className: "shape", ariaHidden: "true" }), make("span"));
}

export function showState(chip, { status, cancel_requested: isCancelling }) {
  const shown = isCancelling && status === "running" ? "cancelling" : status;
  chip.dataset.job = shown;
  setText(chip.lastElementChild, stateWord(shown));
}

/** How long its newest attempt runs or ran, in seconds; null where none did. */
export function ranSeconds(job, now = Date.now()) {
  if (!job.started_at || job.status === "pending" || job.status === "retrying") return null;
  if (job.status === "running") return Math.max(0, (now - Date.parse(job.started_at)) / 1000);
  return job.execution_time ?? null;
}
