// A walk by Tab: what each stop looks like while it has the focus, and what was never reached. `walk.look()` after each press
// tells where the walk is, `walk.missed()` at its end what it left out, `walk.faults` all that is wrong.

window.walk = (() => {
  const INTERACTIVE = "a[href], button, input, select, textarea, summary, audio[controls], video[controls], [contenteditable], [tabindex]";
  const stops = [];
  const faults = [];
  const first = new Set(document.querySelectorAll(INTERACTIVE)); // what comes while one walks may be behind one
  const looks = new Map(); // of each stop with the focus: without it it must look otherwise

  const name = (element) => {
    const own = element.id ? `#${element.id}` : element.className && typeof element.className === "string" ? `.${element.className.trim().split(/\s+/).join(".")}` : "";
    const data = Object.entries(element.dataset ?? {}).slice(0, 2).map(([key, value]) => `[${key}=${value.slice(0, 20)}]`).join("");
    return `${element.localName}${own}${data} "${(element.ariaLabel || element.textContent || element.value || "").trim().replace(/\s+/g, " ").slice(0, 30)}"`;
  };
  /** Boxes that are drawn as others are looked at through these: a switch is the word beside its box, a row its cells. */
  const shown = (element) => {
    if (getComputedStyle(element).opacity === "0" && element.nextElementSibling) return element.nextElementSibling;
    return element;
  };
  const look = (element) => {
    const parts = [element, shown(element), element.firstElementChild, element.parentElement].filter(Boolean);
    return parts.map((part) => {
      const { outline, outlineOffset, boxShadow, borderColor, backgroundColor, textDecoration } = getComputedStyle(part);
      return [outline, outlineOffset, boxShadow, borderColor, backgroundColor, textDecoration].join();
    }).join("|");
  };
  const isSeen = (element) => element.checkVisibility({ opacityProperty: false, visibilityProperty: true }) && shown(element).getClientRects().length > 0;
  const isClipped = (element) => {
    const { width, height } = shown(element).getBoundingClientRect();
    return width <= 1 || height <= 1; // of whoever only listens
  };

  /** What cuts the outline off: an ancestor that does not let it out, or the window's edge. */
  function cutBy(element) {
    const own = shown(element);
    const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(own);
    const room = outlineStyle === "none" ? 0 : Math.max(0, parseFloat(outlineWidth) + parseFloat(outlineOffset));
    const box = own.getBoundingClientRect();
    const [left, top, right, bottom] = [box.left - room, box.top - room, box.right + room, box.bottom + room];
    const isWithin = (edge, axis) => (axis === "x" ? left >= edge.left - 0.6 && right <= edge.right + 0.6 : top >= edge.top - 0.6 && bottom <= edge.bottom + 0.6);
    const isLarge = (edge, axis) => (axis === "x" ? box.width > edge.right - edge.left : box.height > edge.bottom - edge.top); // never whole
    for (let each = own.parentElement; each && each !== document.body && each !== document.documentElement; each = each.parentElement) {
      const { overflowX, overflowY, contain, position } = getComputedStyle(each);
      const frame = each.getBoundingClientRect();
      const edge = { left: frame.left + each.clientLeft, top: frame.top + each.clientTop };
      Object.assign(edge, { right: edge.left + each.clientWidth, bottom: edge.top + each.clientHeight });
      const paints = /paint|strict|content/.test(contain);
      if ((paints || overflowX !== "visible") && !isWithin(edge, "x") && !isLarge(edge, "x")) return name(each);
      if ((paints || overflowY !== "visible") && !isWithin(edge, "y") && !isLarge(edge, "y")) return name(each);
      if (position === "fixed") break;
    }
    const whole = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    const isTall = box.height > innerHeight - 160; // there are bars above and below
    return !isWithin(whole, "x") || (!isWithin(whole, "y") && !isTall) ? "the window" : null;
  }

  /** What lies over its middle, where something does. */
  function coveredBy(element) {
    const own = shown(element);
    const box = [...own.getClientRects()].sort((one, other) => other.width * other.height - one.width * one.height)[0];
    const [x, y] = [Math.min(innerWidth - 1, Math.max(0, box.left + box.width / 2)), (Math.max(0, box.top) + Math.min(innerHeight - 1, box.bottom)) / 2];
    const top = document.elementFromPoint(x, y);
    if (!top || top.contains(own) || own.contains(top) || element.contains(top) || element.closest("label")?.contains(top)) return null;
    return name(top);
  }

  /** Against the way one reads: back in its line, or above in its column. */
  function isBackwards(before, stop) {
    if (before.scope !== stop.scope || !before.element.isConnected) return false;
    const [one, other] = [boxOf(before.element), boxOf(stop.element)];
    const isSameLine = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 0.5 * Math.min(one.height, other.height);
    const isSameColumn = Math.min(one.right, other.right) > Math.max(one.left, other.left);
    return isSameLine ? other.right <= one.left + 1 : isSameColumn && other.bottom <= one.top + 1;
  }

  /** How far it was moved by all that scrolls around it. */
  function scrolled(element) {
    let [x, y] = [0, 0];
    for (let each = element.parentElement; each; each = each.parentElement) [x, y] = [x + each.scrollLeft, y + each.scrollTop];
    return [x, y];
  }

  function boxOf(element) {
    const { left, top, right, bottom, width, height } = shown(element).getBoundingClientRect();
    const [x, y] = scrolled(element);
    return { left: left + x, right: right + x, top: top + y, bottom: bottom + y, width, height };
  }

  const scopeOf = (element) => element.closest("fieldset, [role=group], form, nav, aside, section, header, footer, main, details, .menu-body, body");

  return {
    faults,
    /** "on" where a new stop has the focus; "over" where the walk left the page or came to where it was before. */
    look() {
      const element = document.activeElement;
      if (!element || element === document.body || element === document.documentElement) return "over";
      if (["date", "datetime-local"].includes(element.type) && stops.at(-1)?.element === element) return "on"; // from its year to its month and its day
      if (stops.some((stop) => stop.element === element)) return stops[0].element === element ? "over" : "seen";
      const stop = { element, scope: scopeOf(element) };
      if (!isSeen(element) || isClipped(element)) faults.push(`not seen: ${name(element)}`);
      else {
        // What rings meanwhile comes to the top of its list, and pushes on what has the focus there.
        if (element.closest("[data-alerts]")) element.scrollIntoView({ block: "nearest" });
        const [cut, covered] = [cutBy(element), coveredBy(element)];
        if (cut) faults.push(`cut by ${cut}: ${name(element)}`);
        if (covered) faults.push(`under ${covered}: ${name(element)}`);
        if (stops.length && isBackwards(stops.at(-1), stop)) faults.push(`backwards from ${name(stops.at(-1).element)}: ${name(element)}`);
      }
      stops.push(stop);
      looks.set(element, look(element));
      return element.localName === "summary" && !element.parentElement.open ? "closed" : "on";
    },
    /** Once nothing has the focus. */
    end() {
      document.activeElement?.blur();
      for (const [element, focused] of looks) {
        if (element.isConnected && isSeen(element) && look(element) === focused) faults.push(`looks the same without the focus: ${name(element)}`);
      }
      const reached = new Set(stops.map(({ element }) => element));
      const groups = new Set(stops.map(({ element }) => element.type === "radio" && element.name));
      for (const element of first) {
        if (!element.isConnected || reached.has(element) || element.disabled || !isSeen(element) || isClipped(element)) continue;
        if (element.type === "hidden" || element.closest("[inert], [aria-hidden=true]")) continue;
        if (element.type === "radio" && groups.has(element.name)) continue;
        const row = element.closest("[role=grid] tr"); // of a grid one row is reached, and arrows lead on
        if (row && [...row.closest("table").rows].some((each) => reached.has(each))) continue;
        if (element.tabIndex < 0 && !element.matches("a[href], button, input, select, textarea, summary")) continue;
        faults.push(`never reached: ${name(element)}`);
      }
      return { stops: stops.length, faults };
    },
  };
})();
