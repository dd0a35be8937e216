// The states of a list: what is loading has the shape of what will come, what is empty says the next step, and what
// failed says why, with the request's number and a way to ask again. In HTML the frame has [data-skeleton] and [data-state-box].

import { button, make } from "./element.js";
import { word } from "../words/words.js";

export class States {
  /** `list`: the element that is hidden while there is nothing in it. */
  constructor(frame, list) {
    Object.assign(this, { frame, list, box: frame.querySelector("[data-state-box]"), skeleton: frame.querySelector("[data-skeleton]") });
  }

  loading() {
    this.renewed();
    this.frame.setAttribute("aria-busy", "true");
    this.skeleton.hidden = false;
    this.list.hidden = this.box.hidden = true;
  }

  filled() {
    this.settle();
    this.list.hidden = false;
    this.box.hidden = true;
  }

  /** `act`: the next step, as [words, what it does]; none where there is none. */
  empty(title, text, act = null) {
    this.say(title, text, act);
  }

  failed(title, error, again) {
    this.renewed();
    this.say(title, reason(error), [word("retry"), again], true);
  }

  /** What is shown stays, and is not the newest: said at the lower edge, where it moves nothing. */
  late(error, again) {
    this.settle();
    if (this.line?.children[1].textContent === reason(error)) return; // told again it would be read out again
    this.renewed();
    this.line = make("p", { className: "late", attributes: { role: "status" } }, make("span", { textContent: word("notRenewed") }), " ", make("small", { textContent: reason(error) }), " ", button(word("retry"), () => {
      this.renewed();
      again();
    }));
    this.frame.append(this.line);
  }

  renewed() {
    this.line?.remove();
    this.line = null;
  }

  say(title, text, act, isWrong = false) {
    this.settle();
    this.list.hidden = true;
    this.box.hidden = false;
    const said = JSON.stringify([title, text, act?.[0], isWrong]);
    if (this.said === said) return; // told again it would be read out again
    this.said = said;
    this.box.classList.toggle("is-wrong", isWrong);
    this.box.replaceChildren(...[make("p", {}, make("b", { textContent: title })), text && make("small", { textContent: text }), act && button(...act)].filter(Boolean));
  }

  settle() {
    this.frame.setAttribute("aria-busy", "false");
    this.skeleton.hidden = true;
  }
}

/** Why an answer did not come, with the number by which those who run the site find it. */
export function reason(error) {
  return [error.message, error.requestId && word("request", { id: error.requestId })].filter(Boolean).join(" · ");
}
