// Levels and trend lines of the panel's symbol, drawn by hand and kept as this person's, and their list. It comes with the
// first sign of a hand, and where something was drawn.

import { make } from "../element.js";
import { chosen, prefer } from "../preferences.js";
import { toast } from "../toast.js";
import { price, word } from "../../words/words.js";
import { brought } from "./brought.js";
import { whenRecoloured } from "./colours.js";

export class ByHand {
  constructor(panel) {
    Object.assign(this, { panel, drawings: null, pencil: null, cursor: panel.readout.at });
    whenRecoloured(() => this.update());
    document.addEventListener("preference", ({ detail: { name } }) => name === this.name && this.show());
  }

  /** Under which preference they are kept. */
  get name() {
    return this.panel.drawings;
  }

  /** The pencil, once it is there. */
  async take() {
    const [{ Drawings }, { Pencil }] = await Promise.all([brought(import("./drawings.js")), brought(import("./pencil.js"))]);
    if (this.pencil || !Drawings || !Pencil) return this.pencil;
    const { chart } = this.panel;
    this.drawings = new Drawings(chart);
    this.pencil = new Pencil(chart, this.drawings, { changed: (kept) => this.keep(kept), told: (state, kind) => this.hint(state, kind) });
    this.pencil.cursor = this.cursor;
    this.show();
    return this.pencil;
  }

  show() {
    const { known } = this.panel;
    const kept = chosen(this.name) ?? [];
    const first = known?.bars[0]?.opened_at;
    if (kept.some(({ points }) => points.some(({ at }) => at < first))) this.panel.needAll();
    if (!this.drawings) {
      if (kept.length) this.take();
      return;
    }
    this.drawings.show(known ? kept : []);
    this.list();
  }

  clear() {
    this.drawings?.show([]);
  }

  update() {
    this.drawings?.update();
  }

  /** Where the arrow keys have brought the crosshair. */
  stand(at) {
    this.cursor = at;
    if (this.pencil) this.pencil.cursor = at;
  }

  keep(kept) {
    const before = this.drawings.kept;
    prefer(this.name, kept.length ? kept : null);
    if (kept.length < before.length) toast(word("drawingRemoved"), { undo: () => this.keep(before) });
  }

  hint(state, kind) {
    const line = this.panel.part("hint");
    line.hidden = !state;
    line.textContent = state ? word(`draw${state[0].toUpperCase()}${state.slice(1)}${state === "armed" ? kind[0].toUpperCase() + kind.slice(1) : ""}`) : "";
    this.showTool(state === "full" ? null : this.pencil?.kind);
  }

  /** Begin to draw one of a kind; begun already, it is let go. */
  draw(kind) {
    const { chart, part } = this.panel;
    part("menu=draw").open = false;
    if (!this.pencil) return;
    if (this.pencil.kind === kind) this.pencil.letGo();
    else this.pencil.arm(kind);
    chart.element.focus({ preventScroll: true });
  }

  showTool(kind) {
    for (const button of this.panel.section.querySelectorAll("[data-draw]")) button.setAttribute("aria-pressed", button.dataset.draw === kind);
  }

  list() {
    const { drawings, panel } = this;
    panel.part("drawings").replaceChildren(...drawings.kept.map((drawing) => {
      const prices = drawing.points.map((point) => price(drawings.now(drawing, point.price), panel.subject.price_decimals));
      const text = word(drawing.kind === "level" ? "levelAt" : "trendFrom", { from: prices[0], to: prices[1] });
      const remove = make("button", { type: "button", textContent: "×", ariaLabel: word("removeDrawing", { drawing: text }) });
      remove.addEventListener("click", () => this.keep(drawings.kept.filter(({ id }) => id !== drawing.id)));
      return make("li", {}, make("span", { textContent: text }), remove);
    }));
  }
}
