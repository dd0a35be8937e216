// What a page says when the login that opened it has ended, here or elsewhere, or its rights have changed.

import { get } from "./page.js";
import { word } from "../words/words.js";

let isTold = false;

/** Tells of it when the server takes a stream that this login had opened. */
export function showRights(stream) {
  stream.on("ended", async ({ reason }) => {
    if (reason !== "rights_ended") return;
    const error = await get("/api/tasks/tasks?limit=1").then(() => null, (failed) => failed);
    if (isLogin(error)) tellLoggedOut();
    else tell("rightsChanged", "loadAgain", location.href);
  });
}

/** Whether an answer was refused because nobody is logged in. */
export function isLogin(error) {
  return error?.status === 401;
}

/** Once; a page that shows it in its own place prevents the line above it. */
export function tellLoggedOut() {
  if (isTold) return;
  isTold = true;
  const isOpen = document.dispatchEvent(new CustomEvent("loggedout", { cancelable: true }));
  if (isOpen) tell("loggedOut", "logInAgain", loginAddress());
}

export function loginAddress() {
  return `/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
}

function tell(what, remedy, href) {
  const line = document.querySelector("[data-ended]");
  line.querySelector("strong").textContent = word(what);
  Object.assign(line.querySelector("a"), { href, textContent: word(remedy) });
  line.hidden = false;
}
