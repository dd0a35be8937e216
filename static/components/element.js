// Elements made in one call.

/** make("p", { className: "quiet", textContent: "…" }, child, …); what is null is left out. */
export function make(tag, properties = {}, ...children) {
  const { dataset, attributes, ...plain } = properties;
  const element = Object.assign(document.createElement(tag), plain);
  Object.assign(element.dataset, dataset);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children.filter((child) => child != null));
  return element;
}

export function button(text, act) {
  const made = make("button", { type: "button", className: "button", textContent: text });
  made.addEventListener("click", act);
  return made;
}
