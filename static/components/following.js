// A job is followed to its end, and those that it asked for.

import { get } from "./page.js";

const EVERY = 1000;
const LONGEST = 15 * 60_000;
const ENDED = ["completed", "failed", "cancelled", "timed_out"];

/** The job as it ended, or as it stands when nobody waits any longer. `tell(job)` hears how it goes on. */
export async function followed(id, tell = () => {}) {
  const until = Date.now() + LONGEST;
  let job = await one(id, until, tell);
  // What is done in parts is done when those that it asked for are.
  const { result } = await get(`/api/tasks/task/${id}/result`);
  for (const part of [...(result?.chunks ?? []), result?.then].filter(Boolean)) {
    const ended = await one(part, until, tell);
    if (ended.status !== "completed") job = ended;
  }
  return job;
}

async function one(id, until, tell) {
  for (;;) {
    const job = await get(`/api/tasks/task/${id}`);
    tell(job);
    if (ENDED.includes(job.status) || Date.now() > until) return job;
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}
