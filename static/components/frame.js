// The frame of every page: preferences, search and menus.

import { page } from "./page.js";
import { prefer } from "./preferences.js";
import { word } from "../words/words.js";

export const isRecorded = page?.source?.is_recorded ?? false;
const root = document.documentElement;
const REFUSED = { 400: "preferenceTooMuch", 401: "preferenceLoggedOut", 403: "preferenceLoggedOut", 413: "preferenceTooMuch" };

for (const field of document.querySelectorAll("[data-preference]")) {
  const name = field.dataset.preference;
  const show = () => {
    const worn = field.querySelector(`[value="${root.dataset[name] ?? ""}"]`);
    if (worn) worn.checked = true;
  };
  show();
  document.addEventListener("preference", show);
  field.addEventListener("change", (event) => prefer(name, event.target.value || null));
}

document.addEventListener("preferencerefused", ({ detail: { reason, status } }) => {
  tellWrong(word("preferenceRefused", { reason: REFUSED[status] ? word(REFUSED[status]) : reason }));
});

async function tellWrong(text) {
  const { toast } = await import("./toast.js");
  toast(text, { isWrong: true });
}

for (const opener of document.querySelectorAll("[data-search]")) opener.addEventListener("click", openPalette);
for (const opener of document.querySelectorAll("[data-show-keys]")) opener.addEventListener("click", showKeys);

if (document.querySelector("[data-recording]")) import("./recording.js");

// What opens at a person's wish comes with the first sign of a person, and is no weight of the first view.
const palette = document.querySelector("[data-palette-dialog]");
let paletteScript = null;
let isHasty = false; // Enter was pressed before the palette's script was there
for (const sign of ["pointermove", "pointerdown", "keydown"]) addEventListener(sign, () => loadPalette(), { once: true, passive: true });

function loadPalette() {
  paletteScript ??= import("./palette/palette.js");
  return paletteScript.catch(() => null);
}

/** The dialog is there at once; what is typed before its script has come is kept. */
async function openPalette() {
  if (!palette || document.querySelector("dialog[open]")) return;
  const input = palette.querySelector("input");
  isHasty = false;
  input.value = "";
  palette.showModal();
  input.focus();
  const script = await loadPalette();
  if (!script) palette.querySelector("[data-said] p").textContent = word("searchFailed");
  else if (palette.open) script.opened({ isEntered: isHasty });
}

palette?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.target.localName !== "input") return;
  event.preventDefault(); // it would close the dialog
  isHasty = true;
});

async function showKeys() {
  const sheet = await import("./keysheet.js").catch(() => null);
  if (sheet) sheet.showKeys();
  else tellWrong(word("notCome"));
}

document.addEventListener("keydown", (event) => {
  if (!event.key) return; // a browser that fills a field in says so by a key that is none
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const isSearch = (event.key === "/" && !typing) || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey));
  if (isSearch) {
    event.preventDefault();
    openPalette();
  }
  if (event.key === "?" && !typing) showKeys();
  if (event.key === "Escape") closeMenus();
});

document.addEventListener("click", (event) => closeMenus(event.target));

// Before the scripts were there somebody may have pressed and typed; those of the page are there with this one.
const early = globalThis.early?.end() ?? [];
if (early.length) setTimeout(() => early.forEach(({ pressed, key }) => (key ? type(key) : pressed.click())));

function type(key) {
  const field = document.activeElement;
  field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  if (field.localName !== "input" || key.length > 1) return;
  field.value += key;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** By Tab too one leaves a menu; and browsers bring what is out of sight into it, but leave what is cut at its edge. */
document.addEventListener("keyup", ({ key }) => {
  if (key !== "Tab") return;
  closeMenus(document.activeElement);
  document.activeElement?.scrollIntoView({ block: "nearest", inline: "nearest" });
});

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function closeMenus(inside = null) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (inside && menu.contains(inside)) continue;
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held && !inside) menu.querySelector("summary").focus();
  }
}
