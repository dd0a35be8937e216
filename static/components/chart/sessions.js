// Within a day, every other session lies on a shade of its own, so that one sees where a day ends.

import { colour } from "./colours.js";

export class Sessions {
  constructor(chart) {
    this.chart = chart;
  }

  paneViews() {
    return this.chart.zone ? [this] : [];
  }

  zOrder() {
    return "bottom";
  }

  renderer() {
    return { draw() {}, drawBackground: (target) => target.useMediaCoordinateSpace(({ context, mediaSize }) => this.draw(context, mediaSize)) };
  }

  draw(context, { width, height }) {
    const scale = this.chart.chart.timeScale();
    context.fillStyle = colour("n3", 0.55);
    for (const [from, to] of shaded(this.chart.bars)) {
      const [left, right] = [scale.logicalToCoordinate(from - 0.5), scale.logicalToCoordinate(to + 0.5)];
      if (left != null && right != null && right > 0 && left < width) context.fillRect(left, 0, right - left, height);
    }
  }
}

/** First and last place of every other session. */
export function shaded(bars) {
  const sessions = [];
  bars.forEach(({ session_date: date }, at) => {
    if (sessions.at(-1)?.date === date) sessions.at(-1).to = at;
    else sessions.push({ date, from: at, to: at });
  });
  return sessions.filter((each, at) => at % 2).map(({ from, to }) => [from, to]);
}
