// Which row of a table is chosen, and which others are marked with it: by a click, j and k, the arrows; with Shift, several.

export class Choice {
  constructor(table, { chosen, marked }) {
    Object.assign(this, { table, chosen, marked, key: null, keys: new Set() });
    if (marked) table.element.setAttribute("aria-multiselectable", "true");
    table.body.addEventListener("click", (event) => this.click(event));
  }

  dress(element) {
    element.setAttribute("role", "row");
    element.tabIndex = -1;
  }

  /** Choose a row without telling of it, and leave what is seen where it is. */
  mark(key) {
    this.key = key;
    this.keys = new Set(key == null ? [] : [key]);
    this.show();
  }

  /** The same, and have it seen. */
  set(key, { focus = false } = {}) {
    this.mark(key);
    const element = this.table.rows.get(key)?.element;
    if (!element) return;
    if (focus) element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  /** Every marked row, the chosen one among them, from top to bottom. */
  get items() {
    return this.table.keys.filter((key) => this.keys.has(key)).map((key) => this.table.item(key));
  }

  step(by, { isMore = false } = {}) {
    const keys = this.table.keys;
    if (!keys.length) return;
    const at = keys.indexOf(this.last ?? this.key);
    const next = keys[at < 0 ? 0 : Math.max(0, Math.min(keys.length - 1, at + by))];
    if (isMore && this.marked) this.extend(next);
    else this.choose(next, { focus: true });
  }

  /** What the page's keys do to the choice. */
  acts() {
    return {
      j: () => this.step(1), ArrowDown: () => this.step(1), k: () => this.step(-1), ArrowUp: () => this.step(-1),
      J: () => this.step(1, { isMore: true }), K: () => this.step(-1, { isMore: true }),
      "Shift+ArrowDown": () => this.step(1, { isMore: true }), "Shift+ArrowUp": () => this.step(-1, { isMore: true }),
      Home: () => this.step(-Infinity), End: () => this.step(Infinity), PageDown: () => this.step(10), PageUp: () => this.step(-10),
    };
  }

  choose(key, { focus = false } = {}) {
    this.last = null;
    this.set(key, { focus });
    this.chosen(this.table.item(key), { focus });
    this.marked?.([]);
  }

  /** From the chosen row to this one. */
  extend(key) {
    const keys = this.table.keys;
    const [from, to] = [keys.indexOf(this.key ?? key), keys.indexOf(key)].sort((one, other) => one - other);
    this.key ??= key;
    this.last = key;
    this.keys = new Set(keys.slice(from, to + 1));
    this.show();
    const element = this.table.rows.get(key).element;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
    this.marked(this.items);
  }

  forget(key) {
    this.keys.delete(key);
    if (this.last === key) this.last = null;
  }

  /** The chosen row, or the first, is the one that the Tab key reaches. */
  show() {
    const { rows, body, rowOf } = this.table;
    const reached = rows.has(this.key) ? this.key : rowOf.get(body.firstElementChild)?.key;
    for (const [key, { element }] of rows) {
      element.setAttribute("aria-selected", this.keys.has(key));
      element.tabIndex = key === reached ? 0 : -1;
    }
  }

  click(event) {
    const element = event.target.closest("tr");
    const row = element && this.table.rowOf.get(element);
    if (!row || event.ctrlKey || event.metaKey || event.target.closest("button, [data-own]")) return;
    event.preventDefault();
    if (event.shiftKey && this.marked) this.extend(row.key);
    else this.choose(row.key);
  }
}
