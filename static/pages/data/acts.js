// What staff do with data: each through the public interface, which looks at rights again.

import { followed } from "../../components/following.js";
import { make } from "../../components/element.js";
import { post } from "../../components/page.js";
import { reason } from "../../components/states.js";
import { sureButton } from "../../components/sure.js";
import { toast } from "../../components/toast.js";
import { word } from "../../words/words.js";

const TASKS = { backfill: "market.backfill", refetch: "market.reload", fill: "market.gaps" };

/** Buttons of acts; `done()` reads the rows again of which something became. */
export class Acts {
  constructor({ done }) {
    this.done = done;
  }

  /** A job about the row's symbol; the row says so until it has ended. */
  task(act, { symbol }) {
    return sureButton(word(act), word("really"), nameOf(act, symbol), () => this.submit(act, symbol));
  }

  /** `path` is posted to, with `body`. */
  post(act, symbol, what, path, body = {}) {
    return sureButton(word(act), word("really"), nameOf(act, symbol, what), async () => {
      try {
        await post(path, body);
        toast(word("actDone", { act: word(act), symbol }));
        this.done();
      } catch (error) {
        fail(act, symbol, error);
      }
    });
  }

  async submit(act, symbol) {
    try {
      const { task_id: id } = await post("/api/tasks/submit", { task: TASKS[act], args: { symbols: [symbol] } });
      const told = toast(word("askedFor", { act: word(act), symbol }));
      told.firstElementChild.append(" ", make("a", { href: `/tasks/${id}/`, textContent: word("tasks") }));
      this.follow(act, symbol, id);
    } catch (error) {
      fail(act, symbol, error);
    }
  }

  async follow(act, symbol, id) {
    const job = await followed(id).catch(() => null);
    if (job?.status === "completed") toast(word("actDone", { act: word(act), symbol }));
    else if (job?.error) toast(word("actFailed", { act: word(act), symbol, reason: job.error.says || job.error.message }), { isWrong: true });
    this.done();
  }
}

function nameOf(act, symbol, what = "") {
  return word("actOf", { act: word(act), symbol, what }).trim();
}

function fail(act, symbol, error) {
  toast(word("actFailed", { act: word(act), symbol, reason: reason(error) }), { isWrong: true });
}
