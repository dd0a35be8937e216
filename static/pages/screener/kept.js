// The screens that somebody keeps: one is chosen, kept under a name, shared by its link, deleted.

import { Dialog } from "../../components/dialog.js";
import { make } from "../../components/element.js";
import { Form } from "../../components/form.js";
import { get, patch, post, remove } from "../../components/page.js";
import { reason } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { word } from "../../words/words.js";

const PATH = "/api/v2/screens/";
export const linkOf = (token) => `${location.origin}/screener/?screen=${encodeURIComponent(token)}`;

export class Kept {
  /** `asked()`: what would be kept; `chosen(screen)` is called with one that was chosen. */
  constructor(board, { asked, chosen }) {
    Object.assign(this, { asked, chosen, screens: new Map() });
    const part = (name) => board.querySelector(`[data-${name}]`);
    [this.list, this.removing, this.keeping] = [part("kept-list"), part("remove"), part("keep")];
    if (!this.list) return;
    const dialog = part("keep-dialog");
    this.dialog = new Dialog(dialog);
    this.form = new Form(dialog.querySelector("form"), {
      check: () => (this.name ? "" : word("nameNeeded")), help: () => "", send: () => this.keep(), refused: (text) => text,
    });
    this.list.addEventListener("change", () => this.choose(this.list.value));
    this.removing.addEventListener("click", () => this.drop());
    this.keeping.addEventListener("click", () => this.open());
  }

  get name() {
    return this.form.form.elements.name.value.trim();
  }

  async read(chosen = "") {
    if (!this.list) return;
    const { results } = await get(`${PATH}?limit=200`).catch(() => ({ results: [] }));
    this.screens = new Map(results.map((each) => [each.id, each]));
    const first = results.length ? word("ownScreens") : `${word("ownScreens")}: ${word("nothingKept")}`;
    this.list.replaceChildren(make("option", { value: "", textContent: first }), ...results.map(({ id, name }) => make("option", { value: id, textContent: name })));
    this.mark(chosen);
  }

  /** Which of them is shown; none once it is changed. */
  mark(id) {
    if (!this.list) return;
    this.list.value = this.screens.has(id) ? id : "";
    this.removing.hidden = !this.list.value;
  }

  choose(id) {
    this.removing.hidden = !id;
    if (id) this.chosen(this.screens.get(id));
  }

  open() {
    const { elements } = this.form.form;
    const current = this.screens.get(this.list.value);
    elements.name.value = current?.name ?? "";
    elements.is_shared.checked = current?.is_shared ?? false;
    this.form.refuse("");
    this.dialog.open(elements.name);
  }

  /** Under the name of the one that is shown it is that one, changed; else a new one. */
  async keep() {
    const body = { name: this.name, is_shared: this.form.form.elements.is_shared.checked, ...this.asked() };
    const same = [...this.screens.values()].find(({ name }) => name === body.name);
    const kept = await (same ? patch(`${PATH}${same.id}/`, body) : post(PATH, body));
    this.dialog.close();
    await this.read(kept.id);
    this.chosen(kept);
    toast(word("screenKept", { name: kept.name }), kept.token ? { undo: null } : {});
    if (kept.token) this.share(kept.token);
  }

  async share(token) {
    try {
      await navigator.clipboard.writeText(linkOf(token));
      toast(word("linkCopied"));
    } catch {
      toast(linkOf(token), { stays: true });
    }
  }

  async drop() {
    const { id, name, ...screen } = this.screens.get(this.list.value);
    const again = { name, where: screen.where, interval: screen.interval, fields: screen.fields, sort: screen.sort, is_shared: screen.is_shared };
    try {
      await remove(`${PATH}${id}/`);
      await this.read();
      toast(word("screenRemoved", { name }), { undo: async () => this.read((await post(PATH, again)).id) });
    } catch (error) {
      toast(reason(error), { isWrong: true });
    }
  }
}
