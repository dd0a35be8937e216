// Levels and trend lines of the panel's symbol, drawn by hand and kept as this person's. What draws them comes with the first
// sign of a hand, and where something was drawn.

import { chosen, prefer } from "../preferences.js";
import { toast } from "../toast.js";
import { word } from "../../words/words.js";
import { brought } from "./brought.js";
import { whenRecoloured } from "./colours.js";

export class ByHand {
  constructor(panel) {
    Object.assign(this, { panel, drawings: null, pencil: null, cursor: null });
    for (const sign of ["pointerover", "focusin"]) panel.section.addEventListener(sign, () => this.take(), { once: true });
    whenRecoloured(() => this.update());
    document.addEventListener("preference", ({ detail: { name } }) => name === this.name && this.show());
  }

  /** Under which preference they are kept. */
  get name() {
    const { subject } = this.panel;
    return subject && `drawings.${subject.symbol}`;
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
    const { known, toolbar } = this.panel;
    const kept = chosen(this.name) ?? [];
    const first = known?.bars[0]?.opened_at;
    if (kept.some(({ points }) => points.some(({ at }) => at < first))) this.panel.needAll();
    if (!this.drawings) {
      if (kept.length) this.take();
      return;
    }
    this.drawings.show(known ? kept : []);
    toolbar.showDrawings(this.drawings);
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
    this.panel.toolbar.showTool(state === "full" ? null : this.pencil?.kind);
  }
}
