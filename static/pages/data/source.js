// The source: how it answers, the pace at which it is asked, and its pause.

import { badge, showBadge } from "../../components/badge.js";
import { setText } from "../../components/frame.js";
import { get, inOrder, post } from "../../components/page.js";
import { reason } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { age, clock, count, duration, word } from "../../words/words.js";

const EVERY = 5000;

export function showSource(board) {
  const part = (name) => board.querySelector(`[data-${name}]`);
  const figure = (name, text, note = "") => {
    setText(board.querySelector(`[data-figure="${name}"]`), text);
    setText(board.querySelector(`[data-note="${name}"]`), note);
  };
  const mark = badge();
  part("state").append(mark);
  const ask = inOrder(() => get("/api/v2/source/"));
  const ago = (at) => at && word("ago", { age: age(Date.now() - Date.parse(at)) });

  function show(told) {
    const { pace, breaker } = told;
    setText(part("name"), told.title);
    showBadge(mark, ...stateOf(told));
    setText(part("why"), breaker ? [breaker.opened_until && word("minutesLeft", { time: clock(breaker.opened_until) }), !breaker.is_paused && breaker.why].filter(Boolean).join(" · ") : word("recordingText"));
    part("strip").hidden = !pace;
    figure("pace", pace ? word("aSecond", { n: count(pace.now, 2) }) : word("atWill"), pace ? word("ofPace", { n: count(pace.allowed, 2) }) : "");
    figure("asked", pace ? count(pace.asked) : "–", pace?.limited_at ? word("limited", { age: age(Date.now() - Date.parse(pace.limited_at)) }) : "");
    figure("answered", pace ? ago(pace.answered_at) ?? word("never") : "–");
    figure("failed", pace?.failed_by ? word(pace.failed_by) : word("noneOfIt"), pace?.failed_at ? [ago(pace.failed_at), pace.failed_why].filter(Boolean).join(" · ") : "");
    showLatency(told.latency);
    figure("unknown", count(told.unknown_symbols), null);
    if (!part("acts")) return;
    part("acts").hidden = !pace;
    part("resume").hidden = !breaker?.is_paused;
  }

  function showLatency({ from_source: ways, to_client: gone, asked_again: again }) {
    const way = (name) => ways.find((each) => each.way === name) ?? { count: 0, ahead: 0 };
    for (const [name, told] of [["streamer", way("streamer")], ["polled", way("polled")], ["to-client", gone], ["asked-again", again]]) {
      const notes = [told.count && word("withinOf99", { percent: "99%", time: duration(told.p99) }), told.ahead && word("clocksApart", { n: count(told.ahead) })];
      figure(name, told.count ? duration(told.p50) : "–", notes.filter(Boolean).join(" · "));
    }
  }

  async function look() {
    const told = await ask();
    if (told) show(told);
  }

  async function act(path, body, said) {
    try {
      const told = await post(path, body);
      show(told);
      toast(said(told));
    } catch (error) {
      toast(reason(error), { isWrong: true });
    }
  }

  part("pause")?.addEventListener("click", () => act("/api/v2/source/pause", { minutes: Number(part("minutes").value) }, ({ breaker }) => word("pausedSaid", { time: clock(breaker.opened_until) })));
  part("resume")?.addEventListener("click", () => act("/api/v2/source/resume", undefined, () => word("resumedSaid")));
  setInterval(() => document.hidden || look(), EVERY);
  look();
}

function stateOf({ breaker }) {
  if (!breaker) return ["completed", word("recorded")];
  if (breaker.is_paused) return ["cancelled", word("pausedSource")];
  return { open: ["failed", word("leftAlone")], half_open: ["retrying", word("tried")], closed: ["completed", word("askedSource")] }[breaker.state];
}
