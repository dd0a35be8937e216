// What a page has and a program has not: a network that is told of, frames that are drawn, and somebody who looks away.

const isPage = typeof document !== "undefined";

export const HANDOVER = isPage ? "frame" : "now";

export function isOnline() {
  return !isPage || navigator.onLine;
}

export function isHidden() {
  return isPage && document.hidden;
}

/** Where the server is whose page this is. */
export function origin() {
  if (!isPage) throw new TypeError('Say where the server is: new Stream({ url: "https://finstage.example" }).');
  return location.origin;
}

/** Let a stream go with its page: with the network, out of sight, and back. */
export function follow(stream) {
  if (!isPage) return;
  addEventListener("online", () => stream.wake());
  addEventListener("offline", () => stream.drop());
  addEventListener("pagehide", () => stream.rest());
  addEventListener("pageshow", (event) => event.persisted && stream.wake());
  document.addEventListener("visibilitychange", () => document.hidden || stream.queue.deliver());
}
