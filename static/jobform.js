// The form that asks for a job: its kind, its arguments, priority and time limit.

import { make } from "./element.js";
import { Field, showError } from "./fields.js";
import { Templates } from "./jobtemplates.js";
import { get, post } from "./page.js";
import { count, word } from "./words.js";

const LONGEST = 86_400;

export class JobForm {
  /** `submitted(id)` is called with a job that was asked for. */
  constructor(dialog, { submitted }) {
    Object.assign(this, { dialog, submitted, kinds: [], fields: [] });
    this.form = dialog.querySelector("form");
    this.refusal = dialog.querySelector("[data-refusal]");
    this.timeoutHelp = this.own("timeout").querySelector(".help").textContent;
    this.templates = new Templates(this.form, { chosen: (saved) => (saved ? this.fill(saved) : this.choose()), asked: () => this.asked(), refuse: (error) => this.explain(error) });
    for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    this.form.elements.task.addEventListener("change", () => this.choose());
    this.form.addEventListener("focusout", ({ target }) => this.left(target));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** The kinds that this person may submit; without any there is no form. */
  load() {
    this.loaded = this.readKinds();
    return this.loaded;
  }

  async readKinds() {
    ({ kinds: this.kinds } = await get("/api/tasks/kinds"));
    this.form.elements.task.replaceChildren(...this.kinds.map(({ name }) => make("option", { value: name, textContent: name })));
    if (this.kinds.length) this.choose();
    return this.kinds;
  }

  async open(name = "") {
    await this.loaded;
    if (!this.kinds.length || this.dialog.open) return;
    if (name && this.kinds.some((kind) => kind.name === name) && name !== this.form.elements.task.value) {
      this.form.elements.task.value = name;
      this.choose();
    }
    this.key = freshKey();
    this.rest = {};
    this.refuse("");
    this.templates.read();
    this.dialog.showModal();
    this.form.elements.task.focus();
  }

  choose() {
    const kind = this.kinds.find(({ name }) => name === this.form.elements.task.value);
    this.rest = {};
    this.templates.tellChosen("");
    this.fields = kind.arguments.map((each) => new Field(each));
    const attempts = word("attemptsHelp", { n: count(kind.max_attempts) });
    this.help = [kind.about, attempts, kind.isolated ? word("isolatedHelp") : ""].filter(Boolean).join(" ");
    this.form.querySelector("[data-argument-fields]").replaceChildren(...this.fields.map(({ element }) => element));
    this.form.querySelector("[data-arguments]").hidden = !this.fields.length;
    this.form.elements.priority.value = kind.priority;
    this.form.elements.timeout.value = kind.timeout;
    for (const name of ["task", "timeout"]) this.wrong(name, "");
    this.refuse("");
  }

  own(name) {
    return this.form.querySelector(`.field[data-field="${name}"]`);
  }

  /** A field is checked as one leaves it, unless nothing was said in it yet. */
  left(target) {
    const name = target.closest(".field")?.dataset.field;
    const field = this.fields.find((each) => each.name === name && each.input === target);
    if (field && (target.value || field.element.classList.contains("is-wrong"))) field.check();
    if (target === this.form.elements.timeout) this.checkTimeout();
  }

  checkTimeout() {
    const text = this.form.elements.timeout.value.trim();
    const isRight = !text || (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= LONGEST);
    this.wrong("timeout", isRight ? "" : word("limitWrong"));
    return isRight ? "" : "wrong";
  }

  wrong(name, text) {
    const help = { task: this.help, timeout: this.timeoutHelp, priority: this.own("priority").querySelector(".help").dataset.help };
    showError(this.own(name), text, help[name] ?? "");
  }

  refuse(text) {
    this.refusal.textContent = text;
    this.refusal.hidden = !text;
  }

  /** Show what a template says; what it does not say stays as the job's kind has it, and what has no field is kept. */
  fill({ task, args = {}, priority, timeout, ...rest }) {
    this.form.elements.task.value = task;
    this.choose();
    this.rest = rest;
    const told = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    this.templates.tellChosen(told.length ? word("templateAlso", { rest: told.join(", ") }) : "");
    for (const field of this.fields) field.fill(args[field.name]);
    if (priority) this.form.elements.priority.value = priority;
    if (timeout) this.form.elements.timeout.value = timeout;
  }

  /** What the form asks for; nothing where a field is wrong, which then has the focus. */
  asked() {
    this.refuse("");
    const wrong = [...this.fields.map((field) => field.check()), this.checkTimeout()].some(Boolean);
    if (!wrong) return this.body();
    this.form.querySelector("[aria-invalid]")?.focus();
    return null;
  }

  async submit() {
    const asked = this.asked();
    if (!asked) return;
    const button = this.form.querySelector("[data-submit]");
    button.disabled = true;
    try {
      const { task_id: id } = await post("/api/tasks/submit", asked, asked.then ? {} : { "Idempotency-Key": this.key });
      this.dialog.close();
      this.submitted(id);
    } catch (error) {
      this.explain(error);
    }
    button.disabled = false;
  }

  body() {
    const { task, priority, timeout } = this.form.elements;
    const args = Object.fromEntries(this.fields.map((field) => [field.name, field.value()]).filter(([, value]) => value !== undefined));
    const limit = timeout.value.trim();
    return { ...this.rest, task: task.value, args, priority: priority.value, ...(limit && { timeout: Number(limit) }) };
  }

  /** What the interface refused, at the fields that it names, the rest at the end of the form. */
  explain(error) {
    const rest = [];
    for (const [name, messages] of Object.entries(error.errors ?? {})) {
      const text = [messages].flat(Infinity).join(" ");
      const field = this.fields.find((each) => each.name === name);
      if (field) field.error(text);
      else if (["task", "priority", "timeout"].includes(name)) this.wrong(name, text);
      else rest.push(`${name}: ${text}`);
    }
    const isAtFields = Object.keys(error.errors ?? {}).length > rest.length;
    if (!isAtFields || rest.length) {
      const reason = [rest.join(" ") || error.message, error.requestId && word("request", { id: error.requestId })].filter(Boolean).join(" · ");
      this.refuse(word("notUnderstood", { reason }));
    }
    this.form.querySelector("[aria-invalid]")?.focus();
  }
}

/** So that the same form sent twice is one job. */
function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
