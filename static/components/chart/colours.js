// The tokens as colours that a canvas can draw with: it knows neither var() nor light-dark() nor forced colours.

const FORCED = matchMedia("(forced-colors: active)");
// Under forced colours a person's own few colours are all there is; shapes tell apart what hues told.
const SYSTEM = {
  n1: "Canvas", n3: "Canvas", n4: "GrayText", n5: "GrayText", n6: "CanvasText", n7: "CanvasText", n8: "CanvasText", n9: "CanvasText",
  up: "CanvasText", down: "CanvasText", accent: "LinkText", average: "LinkText", oscillator: "CanvasText", closed: "GrayText",
};
const COLOURING = new Set(["theme", "palette"]);
const known = new Map();
let context = null;

document.addEventListener("preference", ({ detail }) => COLOURING.has(detail.name) && known.clear());
FORCED.addEventListener("change", () => known.clear());

export const areForced = () => FORCED.matches;

/** A token's colour as the browser resolves it now: rgba(…). Asked for in every frame, it is resolved once a theme. */
export function colour(name, alpha = 1) {
  const key = `${name}/${alpha}`;
  if (!known.has(key)) known.set(key, resolved(name, alpha));
  return known.get(key);
}

function resolved(name, alpha) {
  const probe = document.createElement("i");
  probe.style.forcedColorAdjust = "none";
  const token = FORCED.matches ? (SYSTEM[name] ?? "CanvasText") : `var(--${name})`;
  probe.style.color = `color-mix(in srgb, ${token} ${alpha * 100}%, transparent)`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  const made = plain(color);
  probe.remove();
  return made;
}

function plain(color) {
  context ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, opacity] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${(opacity / 255).toFixed(3)})`;
}

/** `dress` is called whenever the colours have changed: theme, palette, forced colours. */
export function whenRecoloured(dress) {
  document.addEventListener("preference", ({ detail }) => COLOURING.has(detail.name) && requestAnimationFrame(dress));
  FORCED.addEventListener("change", dress);
}
