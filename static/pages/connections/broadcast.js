// The form by which staff say something to those who are connected.

import { Dialog } from "../../components/dialog.js";
import { make } from "../../components/element.js";
import { freshKey, post } from "../../components/page.js";
import { count, word } from "../../words/words.js";

export class Broadcast {
  /** `said(text)` hears what became of it. */
  constructor(dialog, { types, said }) {
    Object.assign(this, { element: dialog, said });
    this.dialog = new Dialog(dialog);
    this.form = this.dialog.form;
    this.refusal = dialog.querySelector("[data-refusal]");
    this.types = types.map((value) => make("option", { value }));
    this.form.elements.target_type.addEventListener("change", () => this.aim());
    this.form.addEventListener("focusout", ({ target }) => target.name && target.value && this.explain(target.name, ""));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.aim();
  }

  open() {
    this.refuse("");
    this.dialog.open(this.form.elements.message);
  }

  close() {
    this.dialog.close();
  }

  own(name) {
    return this.form.querySelector(`[data-field="${name}"]`);
  }

  /** Whom it is for: everybody, or whoever is named. */
  aim() {
    const kind = this.form.elements.target_type.value;
    this.own("target").hidden = kind === "all";
    this.element.querySelector("datalist").replaceChildren(...(kind === "type" ? this.types : []));
    this.own("target").querySelector(".help").dataset.help = kind === "all" ? "" : word(`target${kind[0].toUpperCase()}${kind.slice(1)}`);
    for (const field of this.form.querySelectorAll("[data-field]")) this.explain(field.dataset.field, "");
  }

  explain(name, fault) {
    const field = this.own(name);
    const help = field.querySelector(".help");
    field.classList.toggle("is-wrong", Boolean(fault));
    field.querySelector("input, select, textarea").setAttribute("aria-invalid", String(Boolean(fault)));
    help.textContent = fault || help.dataset.help;
  }

  refuse(text) {
    this.refusal.textContent = text;
    this.refusal.hidden = !text;
  }

  /** What is asked for, or null where something is missing, which is said at its field. */
  asked() {
    const { message, message_type: type, target_type: kind, target } = this.form.elements;
    this.explain("message", message.value.trim() ? "" : word("messageMissing"));
    this.explain("target", kind.value === "all" || target.value.trim() ? "" : word("targetMissing"));
    const wrong = this.form.querySelector(".is-wrong");
    wrong?.querySelector("input, textarea").focus();
    if (wrong) return null;
    const said = { message: message.value, message_type: type.value, target_type: kind.value };
    return kind.value === "all" ? said : { ...said, target: target.value.trim() };
  }

  /** The same until it was answered: what is pressed again because no answer came is told once. */
  keyOf(asked) {
    const text = JSON.stringify(asked);
    if (this.sent?.text !== text) this.sent = { text, key: freshKey() };
    return this.sent.key;
  }

  async submit() {
    const asked = this.asked();
    if (!asked || this.isSending) return;
    this.isSending = true;
    this.refuse("");
    try {
      const { delivered, missing_processes: missing } = await post("/ws/broadcast", asked, { "Idempotency-Key": this.keyOf(asked) });
      this.sent = null;
      this.form.elements.message.value = "";
      this.dialog.close();
      this.said(word(missing ? "toldInPart" : "told", { n: count(delivered), missing: count(missing) }));
    } catch (error) {
      this.fail(error);
    } finally {
      this.isSending = false;
    }
  }

  fail(error) {
    const known = Object.entries(error.errors ?? {}).filter(([name]) => this.own(name));
    known.forEach(([name, faults]) => this.explain(name, [faults].flat().join(" ")));
    if (!known.length) this.refuse(word("broadcastFailed", { reason: error.message }));
    if (error.status === 401 || error.status === 403) this.said(error.message, { isWrong: true, error });
  }
}
