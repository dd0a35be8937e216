// The legend over the chart: every value of the bar under the crosshair, or of the last one.

import { compact, derived, percent, price, word } from "./words.js";

export class Legend {
  constructor(element, chart, known, decimals) {
    Object.assign(this, { element, chart, known, decimals, at: null });
    chart.chart.subscribeCrosshairMove(({ time }) => {
      this.at = time ?? null;
      this.show();
    });
  }

  show() {
    const { bars, average, oscillator } = this.known();
    const found = this.at ? bars.findLastIndex((bar) => bar.session_date <= this.at) : bars.length - 1;
    const bar = bars[found];
    if (!bar) return;
    const of = (value) => price(value, this.decimals);
    const before = bars[found - 1]?.close;
    const change = before ? Number(((bar.close / before - 1) * 100).toFixed(2)) : null;
    this.element.replaceChildren(
      part("", bar.session_date),
      ...["o", "h", "l", "c"].map((key, index) => part(word(key), of([bar.open, bar.high, bar.low, bar.close][index]))),
      part("", percent(change), change > 0 ? "up" : change < 0 ? "down" : ""),
      part(word("v"), compact(bar.volume)),
      part("SMA 20", derived(average[found], this.decimals), "line average"),
      part("RSI 14", price(oscillator[found], 1), "line oscillator"),
    );
  }
}

function part(name, value, kind = "") {
  const element = Object.assign(document.createElement("span"), { className: kind, textContent: name ? `${name} ` : "" });
  const figure = Object.assign(document.createElement("b"), { textContent: value });
  if (kind === "up" || kind === "down") figure.className = kind;
  element.append(figure);
  return element;
}
