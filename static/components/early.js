// What a person does before the scripts of a page have come is kept, and frame.js does it then: presses of buttons and
// rows, letters, and the Enter that ends a search. No module, so that it is there before the page is seen.

globalThis.early = (() => {
  const kept = [];

  function press({ target }) {
    const pressed = target.closest("button[type=button]:not([popovertarget]), tbody tr"); // what opens by itself has opened
    if (pressed && !target.closest("a")) kept.push({ pressed });
  }

  function type(event) {
    const { key = "", target, ctrlKey, metaKey, altKey } = event;
    const isSearch = kept.some((each) => each.key === "/");
    const isMeant = (key.length === 1 && key !== " ") || (isSearch && key === "Enter");
    if (!isMeant || ctrlKey || metaKey || altKey || target.closest("input, textarea, select")) return;
    kept.push({ key });
    event.preventDefault();
  }

  addEventListener("click", press, true);
  addEventListener("keydown", type, true);
  return {
    /** All of it, once: from now on the scripts are there. */
    end() {
      removeEventListener("click", press, true);
      removeEventListener("keydown", type, true);
      return kept.splice(0);
    },
  };
})();
