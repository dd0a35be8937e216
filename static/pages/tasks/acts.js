// Cancelling jobs and running them again, one or several at once; what was cancelled before it began can be taken back.

import { setText } from "../../components/frame.js";
import { isEnded, isRetriable } from "./jobstate.js";
import { post } from "../../components/page.js";
import { reason } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { count, word } from "../../words/words.js";

const FITS = { cancel: ({ status, cancel_requested: isAsked }) => !isEnded(status) && !isAsked, retry: ({ status }) => isRetriable(status) };

/** `done(id)` reads a job again of which something became. Gives `does(act, jobs)`, and `bar` for those that are marked. */
export function acts(box, { done }) {
  /** What becomes of one is its own: those behind it come too. */
  async function does(act, jobs) {
    const fit = jobs.filter(FITS[act]);
    const told = await Promise.all(fit.map((job) => tell(act, job)));
    const [well, failed] = [told.filter(({ error }) => !error), told.filter(({ error }) => error)];
    if (well.length) say(act, well);
    if (failed.length) toast(word("actFailed", { reason: reason(failed[0].error) }), { isWrong: true });
    await Promise.all(fit.map(({ task_id: id }) => done(id)));
  }

  function say(act, told) {
    const undoable = act === "cancel" ? told.filter(({ status }) => status === "cancelled").map(({ job }) => job) : [];
    const key = act === "retry" ? "doneRetried" : undoable.length === told.length ? "doneCancelled" : "doneAsked";
    const text = told.length > 1 ? word("severalDone", { n: count(told.length), what: word(key) }) : word(key);
    const undo = undoable.length ? () => does("retry", undoable.map((job) => ({ ...job, status: "cancelled" }))) : null;
    toast(text, { undo });
  }

  const bar = {
    jobs: [],
    get isShown() {
      return !box.hidden;
    },
    show(jobs) {
      this.jobs = jobs;
      box.hidden = jobs.length < 2;
      setText(box.querySelector("[data-marked-count]"), word("marked", { n: count(jobs.length) }));
      for (const button of box.querySelectorAll("[data-marked-act]")) button.disabled = !jobs.some(FITS[button.dataset.markedAct]);
    },
    async act(act) {
      const { jobs } = this;
      this.show([]);
      await does(act, jobs);
    },
  };
  for (const button of box.querySelectorAll("[data-marked-act]")) button.addEventListener("click", () => bar.act(button.dataset.markedAct));
  return { does, bar };
}

async function tell(act, job) {
  try {
    const { status } = await post(`/api/tasks/task/${job.task_id}/${act}`);
    return { job, status };
  } catch (error) {
    return { job, error };
  }
}
