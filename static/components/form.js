// A form: it says what is allowed as one leaves a field, keeps what was typed until it was sent, tells a refusal at the
// field that it names, and is sent once however often its button is pressed.

import { showError } from "./fields.js";

export class Form {
  /**
   * `check(name)` is what is wrong with a field, or nothing; `help(name)` what it takes; `send()` sends it. `refused(text)`
   * words what no field can tell. `names()`: the fields that are checked, all that are seen unless it says otherwise.
   * `draft`: the name under which what was typed is kept in this tab, with what `beside()` gives that no field shows.
   */
  constructor(form, { check, help, send, refused, names = () => this.shown, draft = "", beside = () => ({}) }) {
    Object.assign(this, { form, check, help, send, refused, names, beside, draft: draft && `draft:${draft}` });
    this.refusal = form.querySelector("[data-refusal]");
    form.addEventListener("focusout", ({ target }) => this.left(target));
    form.addEventListener("input", () => this.draft && sessionStorage.setItem(this.draft, JSON.stringify(this.typed())));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  field(name) {
    return this.form.querySelector(`.field[data-field="${CSS.escape(name)}"]`);
  }

  get shown() {
    return [...this.form.querySelectorAll(".field[data-field]")].filter((each) => !each.hidden).map((each) => each.dataset.field);
  }

  /** As one leaves a field it is checked, unless nothing was said in it yet. */
  left(target) {
    const field = target.closest(".field");
    if (!field || !this.names().includes(field.dataset.field)) return;
    if (target.value || field.classList.contains("is-wrong")) this.judge(field.dataset.field);
  }

  judge(name) {
    const wrong = this.check(name) ?? "";
    this.wrong(name, wrong);
    return wrong;
  }

  wrong(name, text) {
    showError(this.field(name), text, this.help(name) ?? "");
  }

  /** Whether all is well; else the first wrong field has the focus. */
  isRight() {
    this.refuse("");
    const isRight = !this.names().map((name) => this.judge(name)).some(Boolean);
    if (!isRight) this.focusWrong();
    return isRight;
  }

  focusWrong() {
    this.form.querySelector("[aria-invalid]")?.focus();
  }

  refuse(text) {
    this.refusal.textContent = text;
    this.refusal.hidden = !text;
  }

  async submit() {
    const button = this.form.querySelector("[data-submit]");
    if (button.disabled || !this.isRight()) return;
    button.disabled = true;
    try {
      await this.send();
      this.forget();
    } catch (error) {
      this.explain(error);
    }
    button.disabled = false;
  }

  /** What the interface refused, at the fields that it names, the rest at the end of the form. */
  explain(error) {
    const told = Object.entries(error.errors ?? {}).map(([name, messages]) => [name, [messages].flat(Infinity).join(" ")]);
    const [here, rest] = [told.filter(([name]) => this.field(name)), told.filter(([name]) => !this.field(name))];
    for (const [name, text] of here) this.wrong(name, text);
    if (!here.length || rest.length) this.refuse(this.refused(rest.map(([name, text]) => `${name}: ${text}`).join(" ") || error.message, error));
    this.focusWrong();
  }

  // What was typed stays when the form is closed or the page is loaded again.

  typed() {
    const fields = [...this.form.elements].filter(({ name, type }) => name && type !== "password");
    return { ...Object.fromEntries(fields.map(({ name, type, value, checked }) => [name, type === "checkbox" ? checked : value])), ...this.beside() };
  }

  /** What was typed and never sent, or null. */
  get kept() {
    return this.draft ? JSON.parse(sessionStorage.getItem(this.draft) ?? "null") : null;
  }

  forget() {
    if (this.draft) sessionStorage.removeItem(this.draft);
  }
}
