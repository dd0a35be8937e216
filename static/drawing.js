// Small drawings in SVG: the sparkline, and the bar that shows where a value lies between two others.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Thirty days as one line, filled below; its last point is the price now. */
export function sparkline(values, width = 96, height = 24) {
  const drawing = svg("svg", { class: "sparkline", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  drawing.append(svg("path", { class: "area" }), svg("path", {}), svg("circle", { r: 1.8 }));
  drawSparkline(drawing, values, width, height);
  return drawing;
}

export function drawSparkline(drawing, values, width = 96, height = 24) {
  if (values.length < 2) return;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (index) => 2 + (index * (width - 5)) / (values.length - 1);
  const y = (value) => height - 3 - ((value - low) / (high - low || 1)) * (height - 6);
  const line = values.map((value, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const [area, stroke, end] = drawing.children;
  stroke.setAttribute("d", line);
  area.setAttribute("d", `${line}V${height}H${x(0)}Z`);
  end.setAttribute("cx", x(values.length - 1).toFixed(1));
  end.setAttribute("cy", y(values.at(-1)).toFixed(1));
  drawing.dataset.trend = values.at(-1) >= values[0] ? "up" : "down";
}

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

function svg(tag, attributes) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
