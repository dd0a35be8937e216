// A line of the list: one job, or the runs of a schedule folded into one with a dot a run, the newest at the right.

import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { endWord, errorSays, isEnded, isInPart, ranSeconds, showState, stateChip, stateOf } from "./jobstate.js";
import { titleOf } from "./titles.js";
import { age, count, duration, moment, word } from "../../words/words.js";

const DOTS = 24;

/** What the table's columns hold. A line is {key, job, runs}; `runs` only where they are folded, the newest first. */
export const COLUMNS = {
  state: {
    build(cell) {
      const chip = cell.appendChild(stateChip());
      return ({ job }) => showState(chip, job);
    },
  },
  job: {
    value: ({ job }) => parseInt(job.task_id.replaceAll("-", "").slice(0, 12), 16), // when it was asked for
    build(cell) {
      const [name, about, code] = [make("b"), make("span", { className: "quiet" }), make("code")];
      const link = cell.appendChild(make("a", { tabIndex: -1 }, name, " ", about, " ", code));
      return ({ job }) => {
        link.href = `/tasks/${job.task_id}/`;
        const title = titleOf(job);
        setText(name, title || job.name);
        setText(code, title ? job.name : "");
        setText(about, job.about.replaceAll(",", ", "));
        about.title = job.about;
      };
    },
  },
  progress: { build: buildProgress },
  who: { build: (cell) => ({ job, runs }) => setText(cell, runs || job.schedule ? word("bySchedule") : (job.asked_by ?? word("bySystem"))) },
  attempt: { build: (cell) => ({ job }) => setText(cell, job.attempt ? attempts(job) : "–") },
  ran: {
    build: (cell) => ({ job }, now) => {
      const ran = ranSeconds(job, now);
      setText(cell, ran == null ? "–" : duration(job.status === "running" ? Math.floor(ran) : ran));
    },
  },
  asked: {
    build: (cell) => ({ job }, now) => {
      setText(cell, age(now - Date.parse(job.created_at)));
      cell.title = moment(job.created_at);
    },
  },
};

export function dress(element, { job, runs }) {
  Object.assign(element.dataset, { id: job.task_id, state: job.status });
  element.classList.toggle("folded", Boolean(runs));
}

function buildProgress(cell) {
  const bar = make("span", { className: "progress", hidden: true, attributes: { role: "progressbar" } }, make("i"));
  const [text, code] = [make("span", { className: "note" }), make("code")];
  const dots = make("span", { className: "dots", dataset: { own: "" }, attributes: { role: "group" } });
  cell.append(dots, bar, text, " ", code);
  return ({ job, runs }) => {
    showDots(dots, runs);
    const isShown = job.progress.percent != null && !isEnded(job.status);
    bar.hidden = !isShown;
    if (isShown) showBar(bar, job.progress);
    const error = job.error && job.error.code !== job.status && job.status !== "running" ? job.error : null;
    setText(text, error ? errorSays(error) : runs ? "" : progressText(job));
    setText(code, error?.code ?? "");
    cell.title = error ? [errorSays(error), error.remedy, error.message].filter(Boolean).join("\n") : text.textContent;
    text.classList.toggle("wrong", Boolean(error));
  };
}

function progressText(job) {
  const { done, total, word: said } = job.progress;
  const counted = isInPart(job) ? "" : total ? word("of", { done: count(done), total: count(total) }) : done ? count(done) : "";
  return [counted, said].filter(Boolean).join(" · ");
}

function showDots(box, runs) {
  box.hidden = !runs;
  if (!runs) return;
  const shown = runs.slice(0, DOTS).reverse();
  const said = shown.map((run) => `${run.task_id}${stateOf(run)}`).join();
  if (box.dataset.said === said) return;
  box.dataset.said = said;
  box.setAttribute("aria-label", word("runsOf", { n: count(runs.length), schedule: runs[0].schedule }));
  box.replaceChildren(...shown.map(dot));
}

function dot(run) {
  const title = `${moment(run.created_at)} · ${endWord(run)}`;
  const link = make("a", { href: `/tasks/${run.task_id}/`, tabIndex: -1, title, dataset: { open: run.task_id, badge: stateOf(run) } });
  link.append(make("i", { className: "shape", ariaHidden: "true" }), make("span", { className: "visually-hidden", textContent: title }));
  return link;
}

export function showBar(bar, { done, total, percent, word: said }) {
  bar.firstElementChild.style.transform = `scaleX(${percent / 100})`;
  bar.setAttribute("aria-valuenow", Math.round(percent));
  bar.setAttribute("aria-label", [word("of", { done: count(done), total: count(total) }), said].filter(Boolean).join(" · "));
}

function attempts({ attempt, max_attempts: most }) {
  return most ? word("attemptOf", { n: attempt, all: most }) : attempt;
}
