// The table's rows: one is chosen; j, k and the arrows move, Enter opens; a click on a head sorts.

const FIRST_DOWN = new Set(["percent", "change", "volume", "rsi", "year", "age", "price"]);
const RESORT_EVERY = 2000;

/** `value(symbol, sort)` gives what to sort by. Returns `changed()`, to be called when values moved. */
export function watchRows(table, value, { select }) {
  const body = table.tBodies[0];
  let [sort, ascending, waiting] = ["symbol", true, null];

  const rows = () => [...body.rows];
  const chosen = () => rows().find((row) => row.getAttribute("aria-selected") === "true") ?? rows()[0];

  function choose(row, { focus = true } = {}) {
    for (const each of rows()) {
      each.setAttribute("aria-selected", each === row);
      each.tabIndex = each === row ? 0 : -1;
    }
    if (focus) row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    select(row.dataset.symbol);
  }

  function step(by) {
    const all = rows();
    choose(all[Math.max(0, Math.min(all.length - 1, all.indexOf(chosen()) + by))]);
  }

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Home: () => choose(rows()[0]),
    End: () => choose(rows().at(-1)),
    Enter: () => chosen().querySelector("a").click(),
  };

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const elsewhere = event.target.closest("input, textarea, button, a, summary, select");
    if (elsewhere || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  }

  function arrange() {
    const all = rows();
    const sorted = all.toSorted((a, b) => compare(value(a.dataset.symbol, sort), value(b.dataset.symbol, sort), ascending));
    if (sorted.every((row, index) => row === all[index])) return;
    const held = document.activeElement;
    body.append(...sorted);
    if (body.contains(held)) held.focus({ preventScroll: true });
  }

  function sortBy(head) {
    ascending = sort === head.dataset.sort ? !ascending : !FIRST_DOWN.has(head.dataset.sort);
    sort = head.dataset.sort;
    for (const each of table.tHead.querySelectorAll("[data-sort]")) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    arrange();
  }

  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("button")?.closest("[data-sort]");
    if (head) sortBy(head);
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row || event.target.closest("a")) return;
    choose(row);
    if (matchMedia("(max-width: 1279px)").matches) row.querySelector("a").click();
  });
  body.addEventListener("dblclick", (event) => event.target.closest("tr")?.querySelector("a").click());
  document.addEventListener("keydown", keys);
  choose(rows()[0], { focus: false });

  /** Moving values re-order now and then, never under a pointer that is about to click. */
  function changed() {
    if (sort === "symbol") return;
    waiting ??= setTimeout(() => {
      waiting = null;
      if (!body.matches(":hover")) arrange();
    }, RESORT_EVERY);
  }

  return { changed };
}

/** What is not known stands last, whichever way. */
function compare(a, b, ascending) {
  if (a == null || b == null) return (a == null) - (b == null);
  const way = ascending ? 1 : -1;
  return typeof a === "string" ? way * a.localeCompare(b) : way * (a - b);
}
