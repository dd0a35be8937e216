// Three first steps, beside what they speak of; closed, they never come again.

import { prefer } from "./preferences.js";

const card = document.querySelector("[data-tour]");
const steps = [...(card?.querySelectorAll("li") ?? [])];
let at = 0;

function show() {
  steps.forEach((step, place) => {
    step.hidden = place !== at;
  });
  card.querySelector("[data-tour-step]").textContent = `${at + 1} / ${steps.length}`;
  const next = card.querySelector("[data-tour-next]");
  if (at === steps.length - 1) next.textContent = next.dataset.last;
  point(steps[at].dataset.pointsAt);
}

function point(selector) {
  for (const each of document.querySelectorAll("[data-pointed-at]")) delete each.dataset.pointedAt;
  const shown = [...document.querySelectorAll(selector ?? "")].find((each) => each.checkVisibility());
  if (shown) shown.dataset.pointedAt = "";
}

function close() {
  prefer("tour", "closed");
  card.remove();
  for (const each of document.querySelectorAll("[data-pointed-at]")) delete each.dataset.pointedAt;
}

if (card) {
  card.querySelector("[data-tour-close]").addEventListener("click", close);
  card.querySelector("[data-tour-next]").addEventListener("click", () => {
    at += 1;
    if (at < steps.length) show();
    else close();
  });
  document.addEventListener("preference", ({ detail: { name, value } }) => name === "tour" && value === "closed" && card.isConnected && close());
  card.hidden = false;
  show();
}
