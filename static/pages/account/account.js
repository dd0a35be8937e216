// The page of one's own account: the clock that times are told by, and a password only where one is needed.

import "../../components/frame.js";
import { chosen, prefer } from "../../components/preferences.js";
import { moment } from "../../words/words.js";

const zone = document.querySelector("[data-zone]");
const now = document.querySelector("[data-now]");
const form = document.querySelector("[data-profile]");
const password = form.querySelector("[data-for-address]");

function tellNow() {
  now.dateTime = new Date().toISOString();
  now.textContent = moment(now.dateTime);
}

function showZone() {
  const name = chosen("time_zone") ?? "";
  zone.value = name === "market" ? "" : name;
  tellNow();
}

/** What was typed before the page came, or before it was refused, counts too. */
function showPassword() {
  const email = form.elements.email;
  password.hidden = email.value === email.defaultValue && !password.classList.contains("is-wrong");
}

zone.addEventListener("change", () => prefer("time_zone", zone.value || null));
document.addEventListener("preference", ({ detail }) => detail.name === "time_zone" && showZone());
form.addEventListener("input", showPassword);
showZone();
showPassword();
setInterval(tellNow, 1000);
