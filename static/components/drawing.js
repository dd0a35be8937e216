// The bar that shows where a value lies between two others, such as those of a record, and how SVG is made.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** A track from low to high with a mark; `from` draws the way from the open. */
export function meter() {
  const drawing = svg("svg", { class: "meter", role: "img" });
  drawing.append(
    svg("rect", { class: "track", x: 0, y: 4.5, width: "100%", height: 3, rx: 1.5 }),
    svg("rect", { class: "filled", y: 4.5, height: 3, rx: 1.5 }),
    svg("rect", { class: "mark", y: 0, width: 3, height: 12, rx: 1.5 }),
  );
  return drawing;
}

export function drawMeter(drawing, value, low, high, { from = low, label = "" } = {}) {
  const known = [value, low, high].every(Number.isFinite) && high >= low;
  drawing.style.visibility = known ? "visible" : "hidden";
  if (!known) return;
  const share = (each) => Math.max(0, Math.min(1, high > low ? (each - low) / (high - low) : 0.5));
  const [at, start] = [share(value), share(from)];
  const [, filled, mark] = drawing.children;
  filled.setAttribute("x", `${Math.min(at, start) * 100}%`);
  filled.setAttribute("width", `${Math.abs(at - start) * 100}%`);
  mark.style.x = `calc(${(at * 100).toFixed(2)}% - ${(at * 3).toFixed(2)}px)`;
  drawing.setAttribute("aria-label", label);
}

/** A record with today in it. */
export function reach(known, quote) {
  const day = quote?.session_date;
  const [top, bottom] = [quote?.high ?? quote?.current_price, quote?.low ?? quote?.current_price];
  const higher = top != null && top > known.high;
  const lower = bottom != null && bottom < known.low;
  return {
    high: higher ? top : known.high,
    highDate: higher ? day : known.high_date,
    low: lower ? bottom : known.low,
    lowDate: lower ? day : known.low_date,
  };
}

export function svg(tag, attributes = {}) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
