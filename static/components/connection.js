// The connection's pill: what the line does, and how old the newest price is. A line may be well while no price comes: then
// the pill says that, and how long; or that all is closed, and when the first opens.

import { isRecorded, setText } from "./frame.js";
import { closedUntil, isAnyOpen } from "./markets.js";
import { page } from "./page.js";
import { showRights } from "./rights.js";
import { AGES, reserve } from "./steady.js";
import { age, moment, opening, word } from "../words/words.js";

/** So long nothing new is nothing unusual; freshness.js calls a price stale by the same measure. */
export const SILENT_AFTER = isRecorded ? 180_000 : 90_000;
const SHOWN = [page?.symbol, ...(page?.symbols ?? [])].filter(Boolean);
const EXCHANGES = new Set(SHOWN.map(({ exchange }) => exchange));
const TOO_MANY = new Set(["too_many_symbols", "too_many_indicators", "no_room"]); // of what a subscription is refused for
const WORDS = ["live", "connected", "connecting", "reconnecting", "silent", "allClosed", "noRedis", "noFeed", "noSource", "late"];

export function showConnection(stream) {
  showRights(stream);
  const pill = document.querySelector("[data-connection]");
  if (!pill) return;
  const said = pill.querySelector("[data-connection-word]");
  const old = pill.querySelector("[data-connection-age]");
  reserve(said, WORDS.map((name) => word(name)));
  let newest = newestOf(SHOWN);
  const tell = () => {
    const silence = newest === null ? null : Date.now() - newest;
    const opens = isQuiet(stream, silence) ? closedUntil(EXCHANGES) : undefined;
    const isClosed = opens !== undefined;
    const next = opens ? word("opensAt", { time: opening(opens) }) : "";
    pill.dataset.status = isClosed ? "closed" : connectionStatus(stream, silence);
    setText(said, word(isClosed ? "allClosed" : connectionWord(stream, silence)));
    if (SHOWN.length) reserve(old, isClosed ? [next] : AGES.map(age)); // which of the two changes only as exchanges open and close
    setText(old, isClosed || silence === null ? next : age(silence));
    const title = explained(stream, silence, opens);
    if (pill.title !== title) pill.title = title;
  };
  stream.on("price_update", (update) => {
    newest = Math.max(newest ?? 0, receivedAt(update));
  });
  stream.on("state", () => {
    showSource(stream);
    showLate(stream);
    if (stream.state !== "live") showTooMany(false); // it asks anew, and is answered anew
    tell();
  });
  stream.on("refusal", ({ code }) => TOO_MANY.has(code) && showTooMany(true));
  showSource(stream);
  tell();
  setInterval(tell, 1000);
}

/** A line says so where some of what the page follows was refused as too much. */
function showTooMany(isToo) {
  const line = document.querySelector("[data-too-many]");
  if (line) line.hidden = !isToo;
}

/** When the newest price of these rows came; null where none is shown. */
function newestOf(rows) {
  const times = rows.filter((row) => row.quote).map(({ quote }) => receivedAt(quote));
  return times.length ? Math.max(...times) : null;
}

/** A clock that goes before ours makes no price newer than now. */
function receivedAt({ received_at: at }) {
  return Math.min(Date.parse(at), Date.now());
}

/** Only where something of what is shown trades is it unusual that nothing comes. */
function isSilent(silence) {
  return silence !== null && silence > SILENT_AFTER && (isRecorded || isAnyOpen(EXCHANGES));
}

/** The line is well, and nothing came for longer than is usual where something trades. */
function isQuiet({ state, isFlowing }, silence) {
  return !isRecorded && state === "live" && isFlowing && (silence === null || silence > SILENT_AFTER);
}

function connectionStatus({ state, service, isFlowing }, silence) {
  if (state !== "live") return state;
  if (!service) return "connecting";
  return isFlowing && !isSilent(silence) ? "live" : "stale";
}

function connectionWord({ state, service, late }, silence) {
  if (state !== "live") return state;
  if (!service) return "connecting";
  if (!service.redis) return "noRedis";
  if (!service.feed) return "noFeed";
  if (!service.source) return "noSource";
  if (late.size) return "late"; // asked again, with growing patience
  if (isSilent(silence)) return "silent";
  return isRecorded || !SHOWN.length ? "connected" : "live"; // what is played again is not live, however well connected
}

/** Two ages that are easily taken for each other. */
function explained({ state, heardAt }, silence, opens) {
  const next = opens ? word("firstOpens", { time: moment(opens) }) : "";
  const line = state === "live" && heardAt ? word("lineHeard", { age: age(Date.now() - heardAt) }) : "";
  return [next, line, silence === null ? "" : word("newestPrice", { age: age(silence) })].filter(Boolean).join(" ");
}

/** The source's chip is live only while prices can come from it; where it does not answer, a line says why. */
function showSource({ state, service, isFlowing }) {
  const [chip, away] = ["[data-source]", "[data-away]"].map((name) => document.querySelector(name));
  if (!chip || !away) return;
  if (service) chip.dataset.status = !isFlowing ? "stale" : isRecorded ? "replay" : "live";
  away.hidden = !(state === "live" && service?.feed && !service.source);
  setText(away.querySelector("[data-away-reason]"), service?.detail ? `${service.detail}.` : "");
}

/** A line says so where prices can come and what is made of them waits. */
function showLate({ isFlowing, service }) {
  const late = document.querySelector("[data-rows-late]");
  if (late) late.hidden = !(isFlowing && service?.detail);
}
