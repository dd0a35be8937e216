// What stands below a symbol's chart: what was done to its shares, and which of its bars are held. It comes as it comes into sight.

import { badge, showBadge } from "../../components/badge.js";
import { button, make } from "../../components/element.js";
import { gapsOf, gapsText, heldSpan, heldState } from "../../components/held.js";
import { isListed, list } from "../../components/listing.js";
import { get } from "../../components/page.js";
import { Panel } from "../../components/panel.js";
import { count, word } from "../../words/words.js";

const AT_ONCE = 8;

export function showFacts(section, { symbol, currency }) {
  const name = encodeURIComponent(symbol);
  for (const [part, path, line] of [
    ["actions", `/api/v2/symbols/${name}/actions/?limit=${AT_ONCE}`, (each) => action(each, currency)],
    ["held", `/api/v2/coverage/?symbol=${name}`, held],
  ]) {
    const box = section.querySelector(`[data-${part}]`);
    const rows = box.appendChild(make("ul"));
    const panel = new Panel(box, {
      read: (_, signal) => get(path, { signal }),
      draw: (found) => rows.replaceChildren(...lines(found, line)),
      clear: () => rows.replaceChildren(),
      isEmpty: ({ results }) => !results.length,
      none: async () => [word(part === "actions" ? "noActions" : "noBars")],
    });
    panel.show(symbol);
  }
  if (document.getElementById("preferences")) offerList(section.querySelector("[data-listing]"), symbol);
}

/** Who is logged in puts it on their list, or takes it off. */
async function offerList(box, symbol) {
  let isOn = await isListed(symbol).catch(() => null);
  if (isOn === null) return;
  const offer = button("", () => list(symbol, !isOn, (now) => show((isOn = now))));
  const show = () => (offer.textContent = word(isOn ? "takeOff" : "putOn"));
  show();
  box.replaceChildren(offer);
}

function lines({ results, next }, line) {
  const made = results.map(line);
  if (!next) return made;
  const more = make("li", {}, button(word("showMore"), async () => {
    const { pathname, search } = new URL(next);
    const found = await get(pathname + search).catch(() => null);
    if (found) more.replaceWith(...lines(found, line));
  }));
  return [...made, more];
}

/** A split by the shares that it gave for those it took. */
function action({ kind, ex_date: date, value, numerator, denominator, disputed, decision }, currency) {
  const told = numerator ? `${count(numerator, 4)}:${count(denominator, 4)}` : `${count(value, 6)} ${currency}`;
  const state = decision ? word(decision) : disputed ? word("openDispute") : "";
  return make("li", {}, make("time", { textContent: date }), make("b", { textContent: word(kind) }), make("span", { textContent: told }), make("small", { textContent: state }));
}

function held(row) {
  const mark = badge();
  const [state, said, more] = heldState(row);
  showBadge(mark, state, said);
  const rest = make("small", { textContent: more });
  const line = make("li", {}, make("b", { textContent: row.interval }), make("span", { textContent: heldSpan(row) }), make("span", { className: "number", textContent: word("barsHeld", { n: count(row.held) }) }), mark, rest);
  if (row.is_torn) gapsOf(row.symbol, row.interval).then((found) => (rest.textContent = [gapsText(found), more].filter(Boolean).join(" · ")), () => {});
  return line;
}
