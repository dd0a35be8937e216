// What a page shows stands in its address, so that a reload, a link and Back bring the same again. What is as it always
// begins is left out of it. Where the keyboard was, and how far boxes were scrolled, is kept beside it in the tab's history.
//
//   const address = new Address({ range: "1Y", view: "chart" });   names, and how they begin
//   address.get("range");
//   address.set({ range: "5Y" });       the same page, said otherwise: Back still leaves it
//   address.restore();                  once the page stands: focus and scroll as they were
//
// A value that a page does not know it takes for the beginning, and so does the address: `address.get("range", ["1M", "1Y"])`.

const SCROLLED = "[data-scrolls]"; // a box that keeps how far it was scrolled
const KEPT = "places"; // by entry of the tab's history: a page that is left can no longer write into its own entry
const MOST_KEPT = 50;
const WRITE_EVERY = 100; // browsers refuse more than some hundreds of changes in a few seconds

export class Address {
  constructor(beginning) {
    this.beginning = beginning;
    this.entry = history.state?.entry ?? `${Date.now()}-${Math.random()}`;
    history.replaceState({ ...history.state, entry: this.entry }, "");
    for (const sign of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(sign, () => (this.isTouched = true), { once: true, passive: true });
    addEventListener("pagehide", () => {
      if (this.due) this.write();
      this.keep();
    });
  }

  get(name, known = null) {
    const told = new URLSearchParams(location.search).get(name);
    if (told === null || !known || known.includes(told)) return told ?? this.beginning[name];
    this.set({ [name]: this.beginning[name] });
    return this.beginning[name];
  }

  set(values) {
    this.due = { ...this.due, ...values };
    if (this.waiting) return;
    this.write();
    this.waiting = setTimeout(() => {
      this.waiting = null;
      if (this.due) this.write();
    }, WRITE_EVERY);
  }

  write() {
    const asked = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(this.due)) {
      if (value == null || value === this.beginning[name]) asked.delete(name);
      else asked.set(name, value);
    }
    this.due = null;
    const query = asked.size ? `?${asked}` : "";
    if (query !== location.search) history.replaceState(history.state, "", location.pathname + query + location.hash);
  }

  keep() {
    const held = document.activeElement;
    const focus = held && held !== document.body ? pathOf(held) : null;
    const scrolled = [...document.querySelectorAll(SCROLLED)].map((box) => [pathOf(box), box.scrollLeft, box.scrollTop]);
    const others = kept().filter(({ entry }) => entry !== this.entry);
    const all = [...others, { entry: this.entry, focus, scrolled }].slice(-MOST_KEPT);
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(all));
    } catch {
      // A browser that may keep nothing begins each page at its top.
    }
  }

  /** Whoever has begun to read or type since is left where they are. */
  restore() {
    if (this.isTouched) return;
    const { focus, scrolled = [] } = kept().find(({ entry }) => entry === this.entry) ?? {};
    if (focus && document.activeElement === document.body) document.querySelector(focus)?.focus({ preventScroll: true });
    for (const [path, left, top] of scrolled) document.querySelector(path)?.scrollTo(left, top);
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return []; // where nothing may be kept, or another version kept it otherwise
  }
}

/** Leads to an element of the same page later: by what it is called where it has a name, else by its place. */
function pathOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.dataset.row) return `tbody [data-row="${CSS.escape(element.dataset.row)}"]`;
  if (!element.parentElement) return element.tagName;
  const place = [...element.parentElement.children].indexOf(element) + 1;
  return `${pathOf(element.parentElement)} > :nth-child(${place})`;
}
