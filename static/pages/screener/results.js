// The symbols that were found, with a column for each value; a head sorts, as the server has it.

import { make } from "../../components/element.js";
import { get } from "../../components/page.js";
import { Sparkline } from "../../components/sparkline.js";
import { compact, count, word } from "../../words/words.js";

const BARS = 30;
const LARGE = 1e6;

export class Results {
  /** `sorted(name)` is called with the head that was pressed. */
  constructor(table, { sorted }) {
    Object.assign(this, { table, sorted, lines: new Map(), interval: "" });
    table.tHead.addEventListener("click", ({ target }) => target.closest("button") && sorted(target.closest("th").dataset.column));
  }

  /** `sort`: as the answer has it, the first one counts. More rows of the same answer are put behind. */
  show(told, { isMore = false } = {}) {
    const names = Object.keys(told.results[0]?.values ?? this.names ?? {});
    this.names = Object.fromEntries(names.map((name) => [name, true]));
    if (!isMore) {
      this.lines.clear();
      this.table.tHead.rows[0].replaceChildren(...this.heads(names, told.sort[0] ?? "symbol"));
      this.table.tBodies[0].replaceChildren();
    }
    this.table.tBodies[0].append(...told.results.map((row) => this.row(row, names)));
    this.draw(told.results, told.interval);
  }

  heads(names, sort) {
    const head = (column, text, className = "", isSortable = true) => {
      const isSorted = isSortable && sort.replace(/^-/, "") === column;
      return make("th", { scope: "col", className, dataset: { column }, attributes: isSorted ? { "aria-sort": sort.startsWith("-") ? "descending" : "ascending" } : {} }, isSortable ? make("button", { type: "button", textContent: text, title: text }) : text);
    };
    const heads = [head("symbol", word("symbol")), head("trend", word("trend"), "wide trend", false), ...names.map((name) => head(name, name, "number value")), head("session", word("session"), "session", false)];
    for (const each of heads) if (each.querySelector("button")) each.dataset.sort = "";
    return heads;
  }

  row({ symbol, name, local_name: local, values, has_entered: hasEntered, session_date: date, source, price_decimals: decimals }, names) {
    const trend = make("td", { className: "wide trend", dataset: { card: "none" } });
    this.lines.set(symbol, [new Sparkline(trend), decimals]);
    const title = make("th", { scope: "row", dataset: { card: "title" } }, make("a", { href: `/symbols/${encodeURIComponent(symbol)}/`, textContent: symbol }), " ", make("small", { className: "quiet", textContent: local || name }), hasEntered ? make("span", { className: "entered", textContent: word("entered") }) : null);
    const cells = names.map((each) => make("td", { className: "number value", textContent: number(values[each]), title: values[each] == null ? "" : String(values[each]), dataset: { card: "more", label: each } }));
    return make("tr", { dataset: { row: symbol } }, title, trend, ...cells, make("td", { className: "session quiet", textContent: date, title: word("ofDay", { date, source }), dataset: { card: "side" } }));
  }

  /** The closes come behind: a list is there without them. */
  async draw(rows, interval) {
    if (!rows.length) return;
    const symbols = rows.map(({ symbol }) => symbol).join(",");
    const found = await get(`/api/v2/bars/?${new URLSearchParams({ symbols, interval, limit: BARS })}`).catch(() => null);
    for (const { symbol, bars } of found?.results ?? []) {
      const [line, decimals] = this.lines.get(symbol) ?? [];
      line?.show(bars.map(({ close }) => close), decimals);
    }
  }
}

function number(value) {
  if (value == null) return "–";
  if (Math.abs(value) >= LARGE) return compact(value);
  return count(value, Math.abs(value) >= 100 ? 2 : 4);
}
