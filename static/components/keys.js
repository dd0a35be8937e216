// Keys that act on the page, where nobody types and nothing lies over it. All are told here, and `?` shows them.

const told = [];

/** `acts`: what each key does; one with a name, such as an arrow, is another with Shift: "Shift+ArrowDown". `said`: the
 * same for people, [[["j", "k"], word("keyMove")], …]. */
export function watchKeys(acts, said = []) {
  tellKeys(said);
  document.addEventListener("keydown", (event) => {
    if (!event.key || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], details.menu[open]")) return;
    const typing = event.target.closest("input, textarea, select");
    if (typing && event.key === "Escape") typing.blur();
    const isPressed = event.target.closest({ Enter: "button, a, summary", " ": "button, summary" }[event.key] ?? "none");
    const isScrolled = event.key.startsWith("Arrow") && event.target.closest("pre, aside");
    const key = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
    if (typing || isPressed || isScrolled || !(key in acts)) return;
    event.preventDefault();
    acts[key]();
  });
}

/** Keys that somebody else watches. */
export function tellKeys(said) {
  told.push(...said);
}

export function toldKeys() {
  return told;
}
