// What the columns of each list show.

import { badge, showBadge } from "../../components/badge.js";
import { INTERVAL } from "../../components/chart/history.js";
import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { gapsOf, gapsText, heldSpan, heldState } from "../../components/held.js";
import { age, count, moment, word } from "../../words/words.js";

const PRICES = ["open", "high", "low", "close"];
const STILL = () => {};

/** `lang`: of what the server says in its own language. */
const text = (told, lang = "") => ({ build: (cell) => (row) => {
  if (lang) cell.lang = lang;
  const said = told(row);
  setText(cell, said);
  cell.title = said;
} });
const plain = (value) => count(value, 6);

const symbol = {
  build: (cell, { symbol: ticker }) => {
    cell.append(make("a", { href: `/symbols/${encodeURIComponent(ticker)}/`, textContent: ticker }));
    return STILL;
  },
};
const interval = text((row) => row.interval);

/** A badge and, behind it, what more is to say. */
function standing(judge) {
  return {
    build: (cell) => {
      const [mark, more] = [badge(), make("small", { className: "quiet" })];
      cell.append(mark, " ", more);
      return (row) => {
        const [state, said, rest = ""] = judge(row);
        showBadge(mark, state, said);
        setText(more, rest);
        cell.title = [said, rest].filter(Boolean).join(" · ");
      };
    },
  };
}

function acted(buttons) {
  return {
    build: (cell, row) => {
      cell.append(...buttons(row));
      return STILL;
    },
  };
}

export function columnsOf(acts, may, sources) {
  return {
    coverage: {
      symbol, interval, source: text((row) => (sources[row.source] ?? row.source) || "–"),
      span: text(heldSpan),
      held: text(({ held }) => count(held)),
      state: standing(heldState),
      act: acted((row) => [acts.task("backfill", row), acts.task("refetch", row)]),
    },
    gaps: {
      symbol, interval, unbroken: text((row) => row.unbroken_until ?? word("notCounted")), missing: { build: STILL_PAINT }, gaps: { build: missing },
      act: acted((row) => [acts.task("fill", row)]),
    },
    quarantine: {
      symbol, session: text((row) => `${row.session_date} · ${row.interval}`), range: text(({ low, high }) => `${plain(low)} – ${plain(high)}`), close: text(({ close }) => plain(close)),
      reason: text((row) => row.reason, "en"),
      state: standing(({ state, released_at: at, released_by: who }) => [{ waiting: "pending", released: "completed", settled: "cancelled" }[state], word(state), at ? [who, moment(at)].filter(Boolean).join(" · ") : ""]),
      act: acted((row) => (row.state === "waiting" && may.release ? [acts.post("release", row.symbol, row.session_date, `/api/v2/quarantine/${row.id}/release`)] : [])),
    },
    disputes: {
      symbol, date: text((row) => row.ex_date), what: text(({ kind, value }) => `${word(kind)} ${plain(value)}`), reason: text(({ disputed }) => disputed ?? "–", "en"),
      state: standing(({ decision, decided_at: at, decided_by: who }) => (decision ? ["completed", word(decision), [who, at && moment(at)].filter(Boolean).join(" · ")] : ["pending", word("openDispute")])),
      act: acted((row) => (may.decide ? [["accept", "accepted"], ["keepOut", "kept_out"]].filter(([, decision]) => decision !== row.decision).map(([act, decision]) => acts.post(act, row.symbol, row.ex_date, `/api/v2/disputes/${row.id}/decide`, { decision })) : [])),
    },
    restatements: {
      symbol, what: text((row) => (row.what === "bar" ? `${row.session_date ?? moment(row.opened_at)} · ${row.interval}` : `${word(row.before.kind)} · ${row.session_date}`)),
      change: { build: changes }, reason: { build: (cell, { what, reason: why }) => {
        if (what === "bar") cell.lang = "en";
        cell.textContent = cell.title = what === "bar" ? why : word(why);
        return STILL;
      } },
      computed: text(({ computed_from_it: kept }) => kept.map(({ kind, name }) => `${word(kind)} ${name}`).join(", ") || word("nothingComputed")),
      revised: { build: (cell, { revised_at: at, symbol: ticker, interval: name, what }) => {
        const before = new URLSearchParams({ ...(what === "bar" && name !== INTERVAL && { interval: name }), as_known_at: new Date(Date.parse(at) - 1).toISOString() });
        const link = make("a", { href: `/symbols/${encodeURIComponent(ticker)}/?${before}`, title: `${moment(at)} · ${word("asBefore")}` });
        cell.append(link);
        return () => setText(link, word("ago", { age: age(Date.now() - Date.parse(at)) }));
      } },
    },
  };
}

function STILL_PAINT() {
  return STILL;
}

/** Read when the row is made; a few at a time, as each is counted anew. */
function missing(cell, { symbol: ticker, interval: name }, row) {
  const sum = row.querySelector('[data-column="missing"]');
  setText(cell, "…");
  inTurn(() => gapsOf(ticker, name)).then((found) => {
    setText(sum, found.known_until ? count(found.sessions) : "–");
    setText(cell, gapsText(found));
    cell.title = cell.textContent;
  }, (error) => setText(cell, `${word("gapsFailed")}: ${error.message}`));
  return STILL;
}

let queue = Promise.resolve();
function inTurn(asks) {
  const asked = queue.then(asks);
  queue = asked.catch(() => {});
  return asked;
}

/** Of each value that is another: its name, what it was and what it is. */
function changes(cell, { changed, before, after }) {
  cell.append(...changed.map((name) => make("span", { className: "pair" }, `${word(fieldOf(name))} `, make("del", { textContent: told(name, before) }), " → ", make("ins", { textContent: told(name, after) }))));
  if (!changed.length) cell.append(after ? "–" : word("gone"));
  cell.title = cell.textContent;
  return STILL;
}

function fieldOf(name) {
  return `field${name[0].toUpperCase()}${name.slice(1)}`;
}

function told(name, values) {
  const value = values?.[name];
  if (value == null) return "–";
  if (name === "volume" || PRICES.includes(name) || typeof value === "number") return plain(value);
  return name === "decision" || name === "kind" ? word(value) : String(value);
}
