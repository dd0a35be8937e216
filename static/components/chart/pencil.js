// Drawing by hand: a click or a finger sets the points, Enter sets one where the arrow keys have brought the crosshair,
// Escape lets go, Delete takes away what is chosen, and what is held is moved.

import { MOST } from "./drawings.js";

const POINTS = { level: 1, trend: 2 };
const STILL = 5;

export class Pencil {
  /** `changed(kept)` is told what is to be kept; `told(state)`: armed (with its kind), second, full or null. */
  constructor(chart, drawings, { changed, told }) {
    Object.assign(this, { chart, drawings, changed, told, kind: null, cursor: null });
    chart.chart.subscribeCrosshairMove(({ point, paneIndex = 0 }) => point && paneIndex === 0 && this.preview(point));
    chart.element.addEventListener("keydown", (event) => this.press(event));
    chart.element.addEventListener("pointerdown", (event) => this.down(event), { capture: true });
  }

  arm(kind) {
    this.letGo();
    if (this.drawings.kept.length >= MOST) return this.told("full");
    this.kind = kind;
    this.chart.element.classList.add("is-drawing");
    this.told("armed", kind);
  }

  letGo() {
    this.kind = null;
    this.drawings.draft = null;
    this.drawings.update();
    this.chart.element.classList.remove("is-drawing");
    this.told(null);
  }

  /** A press that stays where it is sets or chooses, however soon after another: the library takes two for a double one. */
  down(event) {
    const point = event.button ? null : this.inPane(event);
    if (!point) return;
    const over = new AbortController();
    const held = this.held(event, point);
    if (held) this.hold(held, event, point, over.signal);
    const end = ({ type, clientX, clientY }) => {
      over.abort();
      if (held) this.drop();
      if (type === "pointerup" && Math.hypot(clientX - event.clientX, clientY - event.clientY) <= STILL) this.click(point);
    };
    for (const ends of ["pointerup", "pointercancel"]) addEventListener(ends, end, { signal: over.signal });
  }

  /** Where in the price's pane; null beside it. */
  inPane({ clientX, clientY }) {
    const { left, top } = this.chart.element.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    const { chart, bars } = this.chart;
    return bars.length && x < chart.timeScale().width() && y < chart.panes()[0].getHeight() ? { x, y } : null;
  }

  click(point) {
    if (this.kind) this.set(this.pointAt(point));
    else this.choose(this.drawings.under(point.x, point.y)?.drawing.id ?? null);
  }

  choose(id) {
    if (this.drawings.selected === id) return;
    this.drawings.selected = id;
    this.drawings.update();
  }

  set(point) {
    const { drawings } = this;
    const fixed = drawings.draft?.fixed ?? [];
    const points = [...fixed, point];
    if (points.length < POINTS[this.kind]) {
      drawings.draft = { id: newId(), kind: this.kind, on: this.today(), points: [point, point], fixed: points };
      this.told("second", this.kind);
      return;
    }
    const made = { id: newId(), kind: this.kind, on: this.today(), points: points.map(({ at, price }) => (this.kind === "level" ? { price } : { at, price })) };
    drawings.selected = made.id;
    this.letGo();
    this.changed([...drawings.kept, made]);
  }

  preview(point) {
    const { draft } = this.drawings;
    if (!this.kind || !draft) return;
    draft.points = [draft.fixed[0], this.pointAt(point)];
    this.drawings.redraw();
  }

  press(event) {
    const { selected, kept } = this.drawings;
    if (event.key === "Escape" && this.kind) this.letGo();
    else if (event.key === "Enter" && this.kind && this.cursor !== null) this.set(this.atBar(this.cursor));
    else if ((event.key === "Delete" || event.key === "Backspace") && selected) this.changed(kept.filter(({ id }) => id !== selected));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** What lies under the pointer and can be moved; a finger moves only what it has chosen before. */
  held({ pointerType }, { x, y }) {
    const found = this.kind ? null : this.drawings.under(x, y);
    return found && (pointerType !== "touch" || found.drawing.id === this.drawings.selected) ? found : null;
  }

  /** It is moved with the pointer, and the chart stays where it is meanwhile. */
  hold(held, { clientX, clientY }, point, signal) {
    const { handleScroll, handleScale } = this.chart.chart.options();
    const begin = this.pointAt(point);
    this.chart.chart.applyOptions({ handleScroll: false, handleScale: false });
    signal.addEventListener("abort", () => this.chart.chart.applyOptions({ handleScroll, handleScale }));
    this.choose(held.drawing.id);
    addEventListener("pointermove", (event) => {
      this.drag(held, begin, this.pointAt({ x: point.x + event.clientX - clientX, y: point.y + event.clientY - clientY }));
    }, { signal });
  }

  drop() {
    const { draft, kept } = this.drawings;
    this.drawings.draft = null;
    if (draft) this.changed(kept.map((each) => (each.id === draft.id ? draft : each)));
    this.drawings.update();
  }

  drag({ drawing, end }, begin, point) {
    const { bars } = this.chart;
    const shift = (each) => {
      const at = each.at && bars[clamp(this.placeOf(each.at) + point.place - begin.place, bars.length)].opened_at;
      return { ...(at && { at }), price: this.rounded(this.drawings.now(drawing, each.price) + point.price - begin.price) };
    };
    const points = drawing.points.map((each, index) => (end === null || end === index ? shift(each) : { ...each, price: this.drawings.now(drawing, each.price) }));
    this.drawings.draft = { ...drawing, on: this.today(), points };
    this.drawings.update();
  }

  pointAt({ x, y }) {
    const { chart, main, bars } = this.chart;
    const place = clamp(Math.round(chart.timeScale().coordinateToLogical(x) ?? bars.length), bars.length);
    return { at: bars[place].opened_at, price: this.rounded(main.coordinateToPrice(y)), place };
  }

  atBar(place) {
    const { opened_at: at, close: price } = this.chart.bars[place];
    return { at, price, place };
  }

  placeOf(at) {
    return this.chart.bars.findLastIndex(({ opened_at: opened }) => opened <= at);
  }

  /** No hand sets more decimals than a person reads. */
  rounded(price) {
    return Number(price.toFixed(price >= 10 ? Math.min(2, this.chart.decimals) : this.chart.decimals));
  }

  today() {
    return this.chart.bars.at(-1).until ?? this.chart.bars.at(-1).session_date;
  }
}

function clamp(place, length) {
  return Math.min(Math.max(0, place), length - 1);
}

function newId() {
  return crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
}
