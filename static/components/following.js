// A job is followed to its end, and those that it asked for.

import { get } from "./page.js";

const EVERY = 1000;
const LONGEST = 15 * 60_000;
const ENDED = ["completed", "failed", "cancelled", "timed_out"];
const USUAL = 3; // jobs: one that asks for another, and what follows that

const isEnded = ({ status }) => ENDED.includes(status);

/**
 * The job as it ended, or as it stands when nobody waits any longer. `tell(job, share)` hears how it goes on: which of them
 * runs, and how much of all is done, 0 to 1.
 */
export async function followed(id, tell = () => {}) {
  const until = Date.now() + LONGEST;
  let [ended, all] = [0, USUAL];
  const hear = (job) => tell(job, (ended + (isEnded(job) ? 1 : (job.progress?.percent ?? 0) / 100)) / all);
  let job = await one(id, until, hear);
  // What is done in parts is done when those that it asked for are.
  const { result } = await get(`/api/tasks/task/${id}/result`);
  const parts = [...(result?.chunks ?? []), result?.then].filter(Boolean);
  all = 1 + parts.length;
  for (const part of parts) {
    ended += 1;
    const last = await one(part, until, hear);
    if (last.status !== "completed") job = last;
  }
  return job;
}

async function one(id, until, tell) {
  for (;;) {
    const job = await get(`/api/tasks/task/${id}`);
    tell(job);
    if (isEnded(job) || Date.now() > until) return job;
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}
