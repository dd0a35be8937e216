// The condition by clicks: groups in each other, with a row for each comparison. What changes is told at once.

import { button, make } from "../../components/element.js";
import { word } from "../../words/words.js";
import { blank, DEEPEST } from "./lines.js";

const JOINED = ["all", "any", "none"];

export class Builder {
  /** `operators`: [name, words], the first one of a signal; `signals`: their names. `changed(group)` hears of each change. */
  constructor(box, { operators, signals, changed }) {
    Object.assign(this, { box, operators, signals, changed });
  }

  show(group) {
    this.group = group;
    this.box.replaceChildren(this.groupOf(group, null, 1));
  }

  tell() {
    this.changed(this.group);
  }

  groupOf(group, parent, depth) {
    const joined = make("select", { ariaLabel: word("joined") }, ...JOINED.map((name) => make("option", { value: name, textContent: word(`${name}Of`), selected: name === group.joined })));
    joined.addEventListener("change", () => {
      group.joined = joined.value;
      this.tell();
    });
    const rows = make("ul", {}, ...group.of.map((each) => this.item(each, group, depth)));
    const element = make("fieldset", { className: "group" }, make("legend", { className: "visually-hidden", textContent: word("joined") }), make("div", { className: "head" }, joined, parent && this.removal(word("removeGroup"), group, parent, () => element)), rows);
    const add = (made) => {
      group.of.push(made);
      const item = rows.appendChild(this.item(made, group, depth));
      item.querySelector("input")?.focus();
      this.tell();
    };
    element.append(make("div", { className: "adding" }, button(`+ ${word("addCondition")}`, () => add(blank())), depth < DEEPEST ? button(`+ ${word("addGroup")}`, () => add({ joined: "any", of: [blank()] })) : null));
    return element;
  }

  item(each, parent, depth) {
    return make("li", {}, each.of ? this.groupOf(each, parent, depth + 1) : this.rowOf(each, parent));
  }

  rowOf(row, parent) {
    const input = (name, label, list) => {
      const made = make("input", { type: "text", value: row[name], className: name, ariaLabel: label, maxLength: 200, spellcheck: false, autocomplete: "off", attributes: { autocapitalize: "off", ...(list && { list: "screen-names" }) } });
      made.addEventListener("input", () => {
        row[name] = made.value;
        if (name === "left") this.takeSignal(row, operator, show);
        this.tell();
      });
      return made;
    };
    const operator = make("select", { className: "operator", ariaLabel: word("operator") }, ...this.operators.map(([value, textContent]) => make("option", { value, textContent, selected: value === row.operator })));
    const [left, right, within] = [input("left", word("left"), true), input("right", word("right"), true), input("within", word("withinHelp"), false)];
    within.title = word("withinHelp");
    const span = make("label", { className: "span" }, `${word("within")} `, within);
    const show = () => {
      right.hidden = span.hidden = !row.operator;
      operator.value = row.operator;
    };
    operator.addEventListener("change", () => {
      row.operator = operator.value;
      show();
      this.tell();
    });
    show();
    const element = make("div", { className: "row" }, left, operator, right, span, this.removal(word("removeCondition"), row, parent, () => element));
    return element;
  }

  /** A signal happens, and is compared with nothing. */
  takeSignal(row, operator, show) {
    const isSignal = this.signals.has(row.left.trim());
    if (isSignal === !row.operator) return;
    if (!isSignal && row.operator) return;
    row.operator = isSignal ? "" : "gt";
    show();
  }

  removal(label, each, parent, element) {
    const made = make("button", { type: "button", className: "remove", textContent: "×", ariaLabel: label, title: label });
    made.addEventListener("click", () => {
      parent.of.splice(parent.of.indexOf(each), 1);
      const item = element().closest("li");
      const next = (item.nextElementSibling ?? item.previousElementSibling ?? item.closest("fieldset").querySelector(".adding"))?.querySelector("input, button");
      item.remove();
      next?.focus();
      this.tell();
    });
    return made;
  }
}
