// Keys that act on the page, where nobody types and nothing lies over it.

/** `acts`: what each key does. */
export function watchKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], details.menu[open]")) return;
    const typing = event.target.closest("input, textarea, select");
    if (typing && event.key === "Escape") typing.blur();
    const isPressed = event.key === "Enter" && event.target.closest("button, a, summary");
    const isScrolled = event.key.startsWith("Arrow") && event.target.closest("pre, aside");
    if (typing || isPressed || isScrolled || !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  });
}
