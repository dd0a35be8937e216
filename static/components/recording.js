// The bar over the pages of a recorded source: where its player is, for everybody; staff steer it there, and go live.

import { setText } from "./frame.js";
import { get, inOrder, post } from "./page.js";
import { reason } from "./states.js";
import { toast } from "./toast.js";
import { count, word } from "../words/words.js";

const bar = document.querySelector("[data-recording]");
const part = (name) => bar.querySelector(`[data-${name}]`);
const isSteered = Boolean(part("steer"));
const EVERY = isSteered ? 5000 : 15_000;
const ask = inOrder(() => get("/api/v2/replay/"));
const REST = 800; // ms: a day that is typed is one only at its end
const HEARD = 1000; // ms: by then the player has heard what is wanted
let told = null;
let resting = null;

function show(now) {
  if (isSteered && told?.going_live && !now.going_live) sayStays(told.going_live);
  told = now;
  const { session, speed, paused, first, last, going_live: live } = told;
  const state = live ? word("recordingGoesLive", { source: live }) : word(paused ? "recordingHeld" : "recordingPlays");
  setText(part("recording-said"), session ? word("recordingAt", { session, speed: count(speed), state }) : "");
  if (!isSteered) return;
  setText(part("recording-paused"), word(paused ? "recordingResume" : "recordingPause"));
  showSpeed(speed);
  const date = part("recording-date");
  if (document.activeElement !== date) date.value = session ?? "";
  [date.min, date.max] = [first ?? "", last ?? ""];
  for (const each of part("steer").querySelectorAll("button, select, input")) each.disabled = false;
}

/** Whoever wished to go live hears that it can't be: what else is shown is as it was before. */
function sayStays(source) {
  const said = word("recordingStays", { source });
  setText(part("live-said"), said);
  toast(said, { isWrong: true });
}

/** A speed of the settings is none of those that can be chosen, and stands among them. */
function showSpeed(speed) {
  const field = part("recording-speed");
  if (document.activeElement === field) return;
  const own = field.querySelector("[data-own]");
  const isListed = [...field.options].some((each) => each !== own && Number(each.value) === speed);
  own.hidden = isListed;
  [own.value, own.textContent] = [speed, `${count(speed)}×`];
  field.value = speed;
}

async function look() {
  const now = await ask();
  if (now?.is_recorded) show(now);
}

/** Everybody sees what one does here: that it is done is said, and why not. */
async function steer(asked) {
  try {
    show(await post("/api/v2/replay/", asked));
    setTimeout(look, HEARD);
  } catch (error) {
    toast(reason(error), { isWrong: true });
    show(told);
  }
}

async function goLive(event) {
  event.preventDefault();
  const field = event.target.elements.source;
  try {
    const now = await post("/api/v2/replay/live", { source: field.value.trim() });
    show(now);
    setText(part("live-said"), word("recordingWillGoLive", { source: now.going_live }));
  } catch (error) {
    setText(part("live-said"), error.errors?.source?.join(" ") ?? reason(error));
    field.focus();
  }
}

if (isSteered) {
  part("recording-turn").addEventListener("click", () => steer({ paused: !told.paused }));
  part("recording-speed").addEventListener("change", ({ target }) => steer({ speed: Number(target.value) }));
  part("recording-date").addEventListener("change", ({ target }) => {
    clearTimeout(resting);
    resting = setTimeout(() => target.reportValidity() && target.value && target.value !== told.session && steer({ date: target.value }), REST);
  });
  part("go-live").addEventListener("submit", goLive);
}
setInterval(() => document.hidden || look(), EVERY);
look();
