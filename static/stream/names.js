// How streams are named, and what is told on them.

import { KINDS } from "./protocol.js";

export const OWN = ":@me"; // whoever asks for alerts while logged in gets their own too
const KIND_OF = Object.fromEntries(Object.values(KINDS).map((kind) => [kind.message, kind]));
const DAY = "1d";

/** A price has no room for its stream's name. */
export function streamOf(message) {
  return message.stream ?? streamFor(KIND_OF[message.type]?.name ?? message.type, message.symbol);
}

export function streamFor(type, symbol) {
  return `${type}:${String(symbol).replaceAll("/", "%2F")}`;
}

/** A symbol as streams are named by it, however somebody writes it. */
export function folded(symbol) {
  return symbol.trim().toUpperCase();
}

/** What is told of a stream; a server that is newer than this script may tell of others. */
export function kindOf(stream) {
  return KINDS[stream.split(":")[0]] ?? {};
}

/** What a stream is of, as its name says it. */
export function address(stream) {
  const [type, rest = ""] = stream.split(/:(.*)/);
  const kind = kindOf(stream);
  const [named, indicator = ""] = kind.has_indicators ? rest.split(/\/(.*)/) : [rest];
  const [symbol, interval = DAY] = kind.has_intervals ? named.split("@") : [named];
  return { type, symbol: symbol.replaceAll("%2F", "/"), interval, indicator };
}

/** Whether a stream is among those that a subscription asks for. */
export function isAskedBy(stream, { type, symbols, options = {} }) {
  const of = address(stream);
  if (type === "all" ? kindOf(stream).for_staff : of.type !== type) return false;
  if (!kindOf(stream).by_symbol || stream.endsWith(OWN)) return true;
  const isNamed = symbols.includes(of.symbol) || symbols.includes("*") || !symbols.length;
  const isMeant = !of.indicator || (options.indicators ?? []).some((each) => each === of.indicator || of.indicator.startsWith(`${each}_`));
  return isNamed && isMeant && of.interval === (options.interval ?? DAY);
}
