// One row of a table: its cells, what paints each of them, and how it stands to another.

import { make } from "../element.js";

const texts = new Intl.Collator(document.documentElement.lang || "en", { numeric: true });

export class Row {
  /** `heads`: the columns in order, as the table's head names them. `element`: a row that the server has made. */
  constructor(key, item, heads, columns, element = null) {
    Object.assign(this, { key, item, isSeen: true });
    this.element = element ?? make("tr", { dataset: { row: key } });
    this.cells = Object.fromEntries(heads.map((head) => [head.name, cellOf(this.element, head)]));
    this.paints = heads.filter(({ name }) => columns[name]?.build).map(({ name }) => columns[name].build(this.cells[name], item, this.element));
  }

  paint(now) {
    for (const paint of this.paints) paint(this.item, now);
  }

  /** By what `value` gives of an item; those that are alike by their keys, so that they do not change places. */
  compare(other, value, isAscending) {
    const ofKeys = this.key < other.key ? -1 : Number(this.key > other.key);
    return compare(value(this.item), value(other.item), isAscending) || (isAscending ? ofKeys : -ofKeys);
  }
}

/** Texts as the language has them, and what is not known last, whichever way. */
function compare(one, other, isAscending) {
  if (one == null || other == null) return (one == null) - (other == null);
  return (isAscending ? 1 : -1) * (typeof one === "string" ? texts.compare(one, other) : one - other);
}

/** The cell under a head: one that is there already, or a new one that looks as the head says; of a live one its box. */
function cellOf(row, { name, card, className, isTitle, isGrid, isLive, label }) {
  const there = row.querySelector(`:scope > [data-column="${name}"]`);
  if (there) return there.querySelector(":scope > .live") ?? there;
  const roles = isGrid ? { role: isTitle ? "rowheader" : "gridcell" } : {};
  const cell = make(isTitle ? "th" : "td", { className: `${name} ${className}`.trim(), dataset: { column: name, card, label }, attributes: { ...roles, ...(isTitle && { scope: "row" }) } });
  row.append(cell);
  // In a box of its own what is written lays out nothing but itself: else all 200 rows are, for one digit.
  return isLive ? cell.appendChild(make("span", { className: "live" })) : cell;
}
