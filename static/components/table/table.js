// A table of live rows: they are painted once a frame where they are seen and once a second where they are not, sorted
// by a click on a head, and chosen by pointer and keys. Its head is HTML: <th data-column="price" data-sort="down" data-card="side">;
// data-title: what names the row; data-live: plain text that changes often.

import { Choice } from "./choice.js";
import { Row } from "./row.js";

const UNSEEN_EVERY = 1000;
const RESORT_EVERY = 2000;
const AT_ONCE = 14; // rows a frame
const NEAR = "120px"; // rows this far out of sight are painted as if seen

export class Table {
  /**
   * `columns`: by name, `build(cell, item)` makes what a cell holds and gives `paint(item, now)`, without which it stays
   * as the server made it; `value(item)` is what its head sorts by. `keyOf(item)` names a row. `dress(row, item)` marks the row itself. `chosen(item)` is called with
   * a row that was chosen; without it rows are not. `marked(items)`: several were. `sorted(name, isAscending)`: by a head.
   * `order`: [name, isAscending] at first; without it rows stand as they come.
   */
  constructor(element, { columns, keyOf, dress = () => {}, chosen = null, marked = null, sorted = () => {}, order = null }) {
    Object.assign(this, { element, columns, keyOf, dress, sorted, order });
    this.body = element.tBodies[0];
    this.heads = [...element.tHead.rows[0].cells].map((cell) => headOf(cell, element.getAttribute("role") === "grid"));
    this.rows = new Map();
    this.late = new Set(); // rows whose newest is not painted yet
    this.choice = chosen && new Choice(this, { chosen, marked });
    this.eye = new IntersectionObserver((seen) => this.look(seen), { rootMargin: NEAR });
    this.rowOf = new WeakMap();
    element.tHead.addEventListener("click", (event) => this.clickHead(event));
    this.body.addEventListener("pointerleave", () => this.isDisordered && this.arrange());
    setInterval(() => this.paint({ isAll: true }), UNSEEN_EVERY);
    this.showOrder();
  }

  /** All rows anew: those that are there stay the same elements. */
  fill(items) {
    const wanted = new Map(items.map((item) => [String(this.keyOf(item)), item]));
    for (const key of [...this.rows.keys()]) if (!wanted.has(key)) this.remove(key);
    for (const [key, item] of wanted) this.keep(key, item);
    this.place(this.order ? this.inOrder() : [...wanted.keys()].map((key) => this.rows.get(key)));
    this.choice?.show();
  }

  /** A row changes, or comes where the order has it. */
  put(item) {
    const key = String(this.keyOf(item));
    const isNew = !this.rows.has(key);
    this.keep(key, item);
    if (isNew) this.insert(this.rows.get(key));
    else if (this.order) this.arrangeSoon();
  }

  remove(key) {
    const row = this.rows.get(key);
    if (!row) return;
    this.eye.unobserve(row.element);
    this.late.delete(row);
    this.rows.delete(key);
    row.element.remove();
    this.choice?.forget(key);
  }

  has(key) {
    return this.rows.has(key);
  }

  item(key) {
    return this.rows.get(key)?.item;
  }

  get size() {
    return this.rows.size;
  }

  get items() {
    return [...this.rows.values()].map(({ item }) => item);
  }

  /** The keys from top to bottom. */
  get keys() {
    return [...this.body.rows].map((element) => this.rowOf.get(element)?.key).filter((key) => key != null);
  }

  /** What tells the time is painted again, where it is seen. */
  tick() {
    if (document.hidden) return;
    for (const row of this.rows.values()) if (row.isSeen) this.late.add(row);
    this.paintSoon();
  }

  sortBy(name, isAscending) {
    this.order = name && [name, isAscending];
    this.showOrder();
    this.arrange();
  }

  // Rows.

  keep(key, item) {
    const row = this.rows.get(key);
    if (row) {
      row.item = item;
      this.late.add(row);
      this.paintSoon();
      return;
    }
    const held = this.body.querySelector(`:scope > [data-row="${CSS.escape(key)}"]`);
    const made = new Row(key, item, this.heads, this.columns, held);
    if (this.choice) this.choice.dress(made.element);
    this.rows.set(key, made);
    this.rowOf.set(made.element, made);
    this.dress(made.element, item);
    made.paint(Date.now());
    this.eye.observe(made.element);
  }

  insert(row) {
    const after = this.order && [...this.body.rows].find((element) => this.compare(row, this.rowOf.get(element)) < 0);
    this.body.insertBefore(row.element, after ?? null);
    this.choice?.show();
  }

  look(seen) {
    for (const { target, isIntersecting } of seen) {
      const row = this.rowOf.get(target);
      if (!row) continue;
      row.isSeen = isIntersecting;
      if (isIntersecting) this.late.add(row);
    }
    this.paintSoon();
  }

  paintSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  /** Those that wait longest first; where many change at once some have the next frame, so that none takes too long. */
  paint({ isAll = false } = {}) {
    const now = Date.now();
    let room = isAll ? Infinity : AT_ONCE;
    for (const row of this.late) {
      if (!row.isSeen && !isAll) continue;
      if (!room) {
        this.paintSoon();
        return;
      }
      room -= 1;
      this.late.delete(row);
      this.dress(row.element, row.item);
      row.paint(now);
    }
  }

  // Order: total, so that rows that are alike do not change places.

  compare(one, other) {
    const [name, isAscending] = this.order;
    return one.compare(other, this.columns[name].value, isAscending);
  }

  inOrder() {
    return [...this.rows.values()].sort((one, other) => this.compare(one, other));
  }

  arrange() {
    this.isDisordered = false;
    if (this.order) this.place(this.inOrder());
  }

  /** Moving values change the order now and then, never under a pointer that is about to click. */
  arrangeSoon() {
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      if (this.body.matches(":hover")) this.isDisordered = true;
      else this.arrange();
    }, RESORT_EVERY);
  }

  place(rows) {
    const held = document.activeElement;
    let next = this.body.firstElementChild;
    for (const { element } of rows) {
      if (element === next) next = next.nextElementSibling;
      else this.body.insertBefore(element, next);
    }
    if (held !== document.activeElement && this.body.contains(held)) held.focus({ preventScroll: true });
  }

  clickHead(event) {
    const head = event.target.closest("button")?.closest("[data-sort]");
    if (!head) return;
    const [name, isAscending] = this.order ?? [];
    const next = head.dataset.column === name ? !isAscending : head.dataset.sort !== "down";
    this.sortBy(head.dataset.column, next);
    this.sorted(head.dataset.column, next);
  }

  showOrder() {
    const [name, isAscending] = this.order ?? [];
    for (const head of this.element.tHead.querySelectorAll("[data-sort]")) {
      if (head.dataset.column === name) head.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  }
}

function headOf(cell, isGrid) {
  const { column: name, card = "" } = cell.dataset;
  return { name, card, isGrid, isTitle: "title" in cell.dataset, isLive: "live" in cell.dataset, className: cell.className, label: cell.textContent.trim() };
}
