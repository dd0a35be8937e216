// What was opened or done lately in this browser, newest first.

const KEY = "palette.recent";
const MOST = 30;

export function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
  } catch {
    return []; // a browser that keeps nothing, or somebody else's words under our key
  }
}

export function remember(id) {
  try {
    localStorage.setItem(KEY, JSON.stringify([id, ...recent().filter((each) => each !== id)].slice(0, MOST)));
  } catch {
    // Then nothing is recent.
  }
}
