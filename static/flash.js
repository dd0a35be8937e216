// A changed price fades from its direction's colour in 250 ms, at most three times a second, and not at all for those who
// asked for less motion.

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const GAP = 334;
const last = new WeakMap();

export function flash(element, direction) {
  const now = performance.now();
  if (STILL.matches || document.hidden || now - (last.get(element) ?? -GAP) < GAP) return;
  last.set(element, now);
  const colour = getComputedStyle(document.documentElement).getPropertyValue(`--${direction}-flash`) ? `var(--${direction}-flash)` : "transparent";
  element.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], { duration: 250, easing: "ease-out" });
}
