// A changed price fades from its direction's colour in 250 ms, at most three times a second, and not at all for those who
// asked for less motion.

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const GAP = 334;
const last = new WeakMap();

export function flash(element, direction) {
  const now = performance.now();
  if (STILL.matches || document.hidden || now - (last.get(element) ?? -GAP) < GAP) return;
  last.set(element, now);
  // To ask what the colour is would have the whole page's style computed at once.
  element.animate([{ backgroundColor: `var(--${direction}-flash, transparent)` }, { backgroundColor: "transparent" }], { duration: 250, easing: "ease-out" });
}
