// The form that asks for a job: its kind, its arguments, priority and time limit.

import { Dialog } from "../../components/dialog.js";
import { make } from "../../components/element.js";
import { Field } from "../../components/fields.js";
import { Form } from "../../components/form.js";
import { Templates } from "./jobtemplates.js";
import { freshKey, get, post } from "../../components/page.js";
import { reason } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { titleOf } from "./titles.js";
import { count, word } from "../../words/words.js";

const LONGEST = 86_400;

export class JobForm {
  /** `submitted(id)` is called with a job that was asked for. */
  constructor(element, { submitted }) {
    Object.assign(this, { submitted, kinds: [], fields: [] });
    this.dialog = new Dialog(element);
    this.element = this.dialog.form;
    this.timeoutHelp = this.helpOf("timeout").textContent;
    this.form = new Form(this.element, {
      draft: "job",
      beside: () => ({ rest: this.rest }),
      names: () => [...this.fields.map(({ name }) => name), "timeout"],
      check: (name) => (name === "timeout" ? this.timeoutWrong() : this.fieldOf(name).check()),
      help: (name) => ({ task: this.help, timeout: this.timeoutHelp, priority: this.helpOf("priority").dataset.help })[name] ?? this.fieldOf(name)?.helpText(),
      send: () => this.send(),
      refused: (text, error) => word("notUnderstood", { reason: reason({ message: text, requestId: error.requestId }) }),
    });
    this.templates = new Templates(this.element, { chosen: (saved) => (saved ? this.fill(saved) : this.choose()), asked: () => this.asked(), refuse: (error) => this.form.explain(error) });
    this.element.elements.task.addEventListener("change", () => this.choose());
  }

  /** The kinds that this person may submit; without any there is no form. */
  load() {
    this.loaded = this.readKinds();
    return this.loaded;
  }

  async readKinds() {
    ({ kinds: this.kinds } = await get("/api/tasks/kinds"));
    const options = this.kinds.map((kind) => make("option", { value: kind.name, textContent: [titleOf(kind), kind.name].filter(Boolean).join(" · ") }));
    this.element.elements.task.replaceChildren(...options);
    if (this.kinds.length) this.choose();
    return this.kinds;
  }

  /** Empty or as it was left, for a kind or as a job was asked for. */
  async open({ name = "", like = null } = {}) {
    try {
      await this.loaded;
    } catch (error) {
      toast(word("actFailed", { reason: reason(error) }), { isWrong: true });
    }
    if (!this.kinds.length || this.dialog.isOpen) return;
    this.key = freshKey();
    this.templates.read();
    const { kept } = this.form;
    if (like) this.fill(like);
    else if (kept && this.knows(kept.task) && (!name || kept.task === name)) this.restore(kept);
    else if (this.knows(name) && name !== this.element.elements.task.value) this.fill({ task: name });
    this.dialog.open(this.element.elements.task);
  }

  knows(name) {
    return this.kinds.some((kind) => kind.name === name);
  }

  choose() {
    const kind = this.kinds.find(({ name }) => name === this.element.elements.task.value);
    this.rest = {};
    this.templates.tellChosen("");
    this.fields = kind.arguments.map((each) => new Field(each));
    const attempts = word("attemptsHelp", { n: count(kind.max_attempts) });
    this.help = [kind.about, attempts, kind.isolated ? word("isolatedHelp") : ""].filter(Boolean).join(" ");
    this.element.querySelector("[data-argument-fields]").replaceChildren(...this.fields.map(({ element }) => element));
    this.element.querySelector("[data-arguments]").hidden = !this.fields.length;
    this.element.elements.priority.value = kind.priority;
    this.element.elements.timeout.value = kind.timeout;
    for (const name of ["task", "timeout"]) this.form.wrong(name, "");
    this.form.refuse("");
  }

  helpOf(name) {
    return this.element.querySelector(`.field[data-field="${name}"] .help`);
  }

  fieldOf(name) {
    return this.fields.find((field) => field.name === name);
  }

  timeoutWrong() {
    const text = this.element.elements.timeout.value.trim();
    const isRight = !text || (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= LONGEST);
    return isRight ? "" : word("limitWrong");
  }

  /** Show what a template or a job says; what it does not say stays as the job's kind has it, and what has no field is kept. */
  fill({ task, args = {}, priority, timeout, ...rest }) {
    this.element.elements.task.value = task;
    this.choose();
    this.rest = rest;
    const told = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    this.templates.tellChosen(told.length ? word("templateAlso", { rest: told.join(", ") }) : "");
    for (const field of this.fields) field.fill(args[field.name]);
    if (priority) this.element.elements.priority.value = priority;
    if (timeout) this.element.elements.timeout.value = timeout;
  }

  /** What was typed and not sent. */
  restore({ task, rest = {}, ...typed }) {
    this.fill({ task, ...rest });
    for (const [name, value] of Object.entries(typed)) {
      const input = this.element.elements[name];
      if (input && name !== "template") input.value = value;
    }
  }

  /** What the form asks for; nothing where a field is wrong, which then has the focus. */
  asked() {
    return this.form.isRight() ? this.body() : null;
  }

  async send() {
    const asked = this.body();
    const { task_id: id } = await post("/api/tasks/submit", asked, asked.then ? {} : { "Idempotency-Key": this.key });
    this.dialog.close();
    this.submitted(id);
  }

  body() {
    const { task, priority, timeout } = this.element.elements;
    const args = Object.fromEntries(this.fields.map((field) => [field.name, field.value()]).filter(([, value]) => value !== undefined));
    const limit = timeout.value.trim();
    return { ...this.rest, task: task.value, args, priority: priority.value, ...(limit && { timeout: Number(limit) }) };
  }
}
