// The state of a job: a hue, a shape and a word.

import { badge, showBadge } from "../../components/badge.js";
import { count, word } from "../../words/words.js";

const ENDED = new Set(["completed", "failed", "cancelled", "timed_out"]);
const RETRIABLE = new Set(["failed", "cancelled", "timed_out"]);

export const isEnded = (status) => ENDED.has(status);
export const isUnfinished = ({ status }) => !isEnded(status);
export const isRetriable = (status) => RETRIABLE.has(status);

/** The word for a state, or for how an attempt went. */
export function stateWord(status) {
  return word(`job${status[0].toUpperCase()}${status.slice(1)}`);
}

/** What went wrong, in the reader's language; of what has no sentence, the text that the job left. */
export function errorSays({ code, message, says }) {
  return says || message.replace(`${code}: `, "");
}

export function stateChip() {
  const made = badge();
  made.classList.add("job-state");
  return made;
}

export function showState(chip, job) {
  const state = stateOf(job);
  showBadge(chip, state, state === "cancelling" ? stateWord(state) : endWord(job));
}

/** Where it stands, as the badges have it: what came in part is neither well nor failed. */
export function stateOf(job) {
  if (job.cancel_requested && job.status === "running") return "cancelling";
  return isInPart(job) ? "partial" : job.status;
}

/** The word for where a job stands; of one that came in part, with how much of it did. */
export function endWord(job) {
  if (!isInPart(job)) return stateWord(job.status);
  // Where all of its own came, a job that it asked for did not.
  return job.done == null || job.done === job.asked ? word("jobPartly") : word("jobPartial", { done: count(job.done), asked: count(job.asked) });
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
