// The chart's data as a table, newest first: the same numbers for those who read rather than see.

import { percent, price, word } from "../../words/words.js";
import { make } from "../element.js";
import { changeOf, columnName, isTold } from "./legend.js";
import { figure } from "./lines.js";
import { timeText } from "./times.js";

const AT_ONCE = 260;
const NAMES = ["date", "close", "change", "open", "high", "low", "volume"];

/** `box` scrolls; what is older than the first rows comes when it is asked for. */
export class BarTable {
  constructor(box, chart) {
    Object.assign(this, { box, chart, most: AT_ONCE });
    this.head = make("thead");
    this.body = make("tbody");
    this.more = make("button", { type: "button", className: "button" });
    this.more.addEventListener("click", () => this.showMore());
    box.replaceChildren(make("table", {}, this.head, this.body), this.more);
  }

  showMore() {
    this.most += 4 * AT_ONCE;
    this.show();
  }

  show() {
    const { bars, lines } = this.chart;
    const columns = [...NAMES.map(columnName), ...lines.shown.filter(isTold).map(({ label }) => label)];
    this.head.replaceChildren(make("tr", {}, ...columns.map((text) => make("th", { scope: "col", textContent: text }))));
    const first = Math.max(0, bars.length - this.most);
    const rows = [];
    for (let at = bars.length - 1; at >= first; at -= 1) rows.push(this.row(at));
    this.body.replaceChildren(...rows);
    this.more.hidden = first === 0;
    this.more.textContent = word("olderBars", { n: price(first, 0) });
  }

  /** The last bar moved: its row alone is made anew, unless another began. */
  moved() {
    const last = this.chart.bars.length - 1;
    if (this.body.firstElementChild?.dataset.at === String(last)) this.body.firstElementChild.replaceWith(this.row(last));
    else this.show();
  }

  row(at) {
    const { bars, lines, decimals, zone } = this.chart;
    const bar = bars[at];
    const of = (value) => price(value, decimals);
    const change = changeOf(bars, at);
    return make("tr", { dataset: { at } },
      make("th", { scope: "row", textContent: timeText(bar, zone) }),
      cell(of(bar.close), "close"),
      cell(percent(change), change > 0 ? "up" : change < 0 ? "down" : ""),
      ...[bar.open, bar.high, bar.low].map((value) => cell(of(value))),
      cell(bar.volume == null ? "–" : price(bar.volume, 0)),
      ...lines.shown.filter(isTold).map((line) => cell(figure(line, line.values[at], decimals))),
    );
  }
}

function cell(text, className = "") {
  return make("td", { textContent: text, className });
}
