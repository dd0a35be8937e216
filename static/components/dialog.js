// A dialog: its close buttons, a press beside it and Escape close it; the focus goes back to where it was.

export class Dialog {
  /** `closed()` is called whichever way it went. isAside: what is beside it stays in sight and in use, as it is about that. */
  constructor(element, { closed = () => {}, isAside = false } = {}) {
    this.element = element;
    this.isAside = isAside;
    if (isAside) element.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.form = element.querySelector("form");
    for (const button of element.querySelectorAll("[data-close]")) button.addEventListener("click", () => this.close());
    element.addEventListener("pointerdown", (event) => (this.isBeside = event.target === element));
    // A selection of text that ends beside it is no press beside it.
    element.addEventListener("click", (event) => event.target === element && this.isBeside && !isAside && this.close());
    element.addEventListener("close", () => {
      if (this.before?.isConnected) this.before.focus({ preventScroll: true });
      closed();
    });
  }

  get isOpen() {
    return this.element.open;
  }

  open(focused = null) {
    if (this.isOpen) return;
    this.before = document.activeElement;
    if (this.isAside) this.element.show();
    else this.element.showModal();
    focused?.focus();
  }

  close() {
    if (this.isOpen) this.element.close();
  }
}
