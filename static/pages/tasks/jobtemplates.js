// Saved submissions: one is chosen to fill the form, and what the form asks for is saved under a name.

import { make } from "../../components/element.js";
import { showError } from "../../components/fields.js";
import { get, post } from "../../components/page.js";
import { word } from "../../words/words.js";

export class Templates {
  /** `chosen(submission)` fills the form, or empties it for null; `asked()` is what it asks for; `refuse(error)` says why it was not saved. */
  constructor(form, { chosen, asked, refuse }) {
    Object.assign(this, { chosen, asked, refuse, saved: new Map() });
    [this.choice, this.naming] = ["template", "template-name"].map((name) => form.querySelector(`.field[data-field="${name}"]`));
    this.select = this.choice.querySelector("select");
    this.name = this.naming.querySelector("input");
    this.button = form.querySelector("[data-save]");
    this.select.addEventListener("change", () => this.chosen(this.saved.get(this.select.value) ?? null));
    this.button.addEventListener("click", () => (this.naming.hidden ? this.askName() : this.save()));
    this.name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.save();
    });
  }

  async read(chosen = "") {
    this.naming.hidden = true;
    const { templates } = await get("/api/tasks/templates").catch(() => ({ templates: [] }));
    this.saved = new Map(templates.map(({ name, submission }) => [name, submission]));
    const options = [["", word("noTemplate")], ...[...this.saved.keys()].map((name) => [name, name])];
    this.select.replaceChildren(...options.map(([value, text]) => make("option", { value, textContent: text })));
    this.select.value = chosen;
    this.choice.hidden = !this.saved.size;
  }

  tellChosen(text) {
    showError(this.choice, "", text);
  }

  askName() {
    this.naming.hidden = false;
    this.name.value = "";
    showError(this.naming, "", "");
    this.name.focus();
  }

  async save() {
    if (this.button.disabled) return;
    const [name, submission] = [this.name.value.trim(), this.asked()];
    if (!submission) return;
    if (!name) {
      showError(this.naming, word("templateName"), "");
      this.name.focus();
      return;
    }
    this.button.disabled = true;
    try {
      await post("/api/tasks/templates", { name, submission });
      await this.read(name);
      this.tellChosen(word("templateSaved", { name }));
    } catch (error) {
      this.tell(error);
    }
    this.button.disabled = false;
  }

  /** A name that is taken or wrong is told at the name, the rest where the form tells refusals. */
  tell(error) {
    const atName = error.status === 409 ? error.message : [error.errors?.name].flat().filter(Boolean).join(" ");
    if (!atName) {
      const errors = Object.entries(error.errors ?? {}).map(([name, told]) => [name.replace(/^submission\./, ""), told]);
      return this.refuse(Object.assign(error, { errors: Object.fromEntries(errors) }));
    }
    showError(this.naming, atName, "");
    return this.name.focus();
  }
}
