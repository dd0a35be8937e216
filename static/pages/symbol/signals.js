// Signals of a symbol: the newest as a list, and the combined rating with its parts.

import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { get, readPage } from "../../components/page.js";
import { learn, word } from "../../words/words.js";

const [LISTED, SOON] = [8, 1000];
const ARROWS = { up: "▲ ", down: "▼ ", none: "" };
const SAID = { 1: "up", 0: "flat", "-1": "down" };
const language = document.documentElement.lang;

/** `stream` hears of new ones. */
export async function showSignals(box, { symbol }, stream) {
  await Promise.all([looks(), readPage("/indicators/words/").then(learn).catch(() => {})]);
  const name = encodeURIComponent(symbol);
  const { rules } = await get(`/api/v2/signals/rules/?language=${language}`);
  const titles = Object.fromEntries(rules.map((rule) => [rule.name, rule]));
  const title = ({ rule }) => titles[rule]?.title ?? rule;
  const [rating, list] = [box.querySelector("[data-rating]"), box.querySelector("[data-newest]")];
  let due = null;

  async function read() {
    const [{ results }, rated] = await Promise.all([
      get(`/api/v2/signals/?symbol=${name}&interval=1d&limit=${LISTED}`),
      get(`/api/v2/technical-analysis/rating/${name}?language=${language}`).catch(() => null),
    ]);
    list.replaceChildren(...(results.length ? results.map(line) : [make("li", { className: "quiet", textContent: word("noSignals") })]));
    showRating(rating, rated);
  }

  function line(each) {
    const arrow = make("span", { ariaHidden: "true", textContent: ARROWS[each.direction] });
    arrow.dataset.direction = each.direction;
    const state = each.state === "confirmed" ? "" : ` · ${word(each.state)}`;
    return make("li", {}, make("time", { className: "quiet", textContent: each.session_date }), " ", arrow, make("span", { textContent: title(each) }), make("span", { className: "quiet", textContent: state }));
  }

  function soon() {
    due ??= setTimeout(() => {
      due = null;
      read().catch(() => {});
    }, SOON);
  }

  stream.on("signal", soon).on("epoch", soon);
  await read().catch(() => setText(list, word("notCome")));
}

/** Its room is there also where nobody knows it. */
function showRating(box, rated) {
  box.classList.toggle("is-unknown", !rated?.rating);
  if (!rated?.rating) return;
  const word_ = box.querySelector("b");
  word_.dataset.direction = rated.all > 0.1 ? "up" : rated.all < -0.1 ? "down" : "flat";
  setText(word_, rated.title);
  setText(box.querySelector("[data-of]"), `${number(rated.all)} · ${word("ofAverages", { value: number(rated.averages) })} · ${word("ofOscillators", { value: number(rated.oscillators) })}`);
  box.querySelector("ul").replaceChildren(...rated.parts.map(({ title, says }) => {
    const said = make("b", { textContent: says == null ? "–" : word(says > 0 ? "buy" : says < 0 ? "sell" : "neutral") });
    said.dataset.direction = says == null ? "" : SAID[says];
    return make("li", {}, make("span", { textContent: title }), said);
  }));
}

function number(value) {
  return value == null ? "–" : `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`;
}

function looks() {
  const link = make("link", { rel: "stylesheet", href: new URL("./signals.css", import.meta.url).href });
  document.head.append(link);
  return new Promise((done) => ["load", "error"].forEach((sign) => link.addEventListener(sign, done, { once: true })));
}
