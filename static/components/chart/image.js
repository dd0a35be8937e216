// The chart as a picture, with what it shows, of when, and who drew it.

import { colour } from "./colours.js";

const [MARGIN, HEAD, FOOT] = [16, 48, 28];

/** `title` and `legend` stand above the chart, `source` below it. */
export function picture(chart, { title, legend, source }) {
  const shot = chart.chart.takeScreenshot(true, false);
  const ratio = devicePixelRatio;
  const canvas = Object.assign(document.createElement("canvas"), { width: shot.width + 2 * MARGIN * ratio, height: shot.height + (HEAD + FOOT) * ratio });
  const context = canvas.getContext("2d");
  context.fillStyle = colour("n1");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(shot, MARGIN * ratio, HEAD * ratio);
  context.scale(ratio, ratio);
  const write = (text, y, { font, tint }) => {
    context.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
    context.fillStyle = colour(tint);
    context.fillText(text, MARGIN, y, canvas.width / ratio - 2 * MARGIN);
  };
  write(title, 22, { font: "600 16px", tint: "n9" });
  write(legend, 40, { font: "12px", tint: "n7" });
  write(`${source} · TradingView Lightweight Charts™`, canvas.height / ratio - 10, { font: "11px", tint: "n7" });
  return canvas;
}

export async function save(canvas, name) {
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${name}.png` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
