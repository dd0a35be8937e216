// Pages and actions of the palette: the links and controls that this page has anyway, under the names they bear.

import { saying } from "./matching.js";

/** Where the palette leads: every link of the frame, those of menus too. */
export function pages() {
  const links = [...document.querySelectorAll(".rail a, [data-menu] a.item, [data-more] a")].filter(({ href }) => href);
  const byPath = new Map(links.toReversed().map((link) => [link.pathname + link.hash, link]));
  return [...byPath].reverse().map(([path, link]) => ({
    id: `page:${path}`, kind: "page", title: named(link), name: "", said: saying(named(link), path.replaceAll("/", " ")), href: link.href,
  }));
}

/** What can be done here: each choice of a preference, each language, every control marked `data-command`, and what waits
 * on other pages. */
export function actions() {
  const here = [...choices(), ...controls()];
  const ids = new Set(here.map(({ id }) => id));
  return [...here, ...elsewhere().filter(({ id }) => !ids.has(id))];
}

function choices() {
  return [...document.querySelectorAll(".topbar [data-preference]")].flatMap((field) =>
    [...field.querySelectorAll("input")].filter((input) => !input.checked).map((input) => {
      const { preference } = field.dataset;
      const title = `${field.querySelector("legend").textContent}: ${input.parentElement.textContent.trim()}`;
      return { id: `action:${preference}=${input.value}`, kind: "action", title, name: "", said: saying(title, `${preference} ${input.value}`), run: () => input.click() };
    }),
  );
}

function controls() {
  const shown = [...document.querySelectorAll("[data-command]")].filter((control) => !control.closest("[hidden]"));
  return shown.filter(({ ariaPressed }) => ariaPressed !== "true").map((control) => ({ ...action(control), run: () => control.click() }));
}

function elsewhere() {
  return [...document.querySelectorAll("[data-elsewhere] [data-command]")].map((link) => ({ ...action(link), href: link.href }));
}

function action(control) {
  const group = control.closest("fieldset")?.querySelector("legend")?.textContent;
  const title = [group, named(control)].filter(Boolean).join(": ");
  return { id: `action:${control.dataset.command}`, kind: "action", title, name: "", said: saying(title, control.dataset.command) };
}

function named(control) {
  return control.ariaLabel ?? control.textContent.trim();
}
