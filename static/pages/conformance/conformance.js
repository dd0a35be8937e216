// The certificates are on the page; what is asked of the list stands in the address, and is answered here at once.

import "../../components/frame.js";
import { Address } from "../../components/address.js";

const form = document.querySelector("[data-filters]");
const rows = [...document.querySelectorAll("tr[data-said]")];
const [shown, none] = [document.querySelector("[data-shown]"), document.querySelector("[data-none]")];
const address = new Address({ q: "", group: "", reference: "" });

function filter() {
  const { q, group, reference } = Object.fromEntries(new FormData(form));
  const text = q.trim().toLowerCase();
  let count = 0;
  for (const row of rows) {
    const { said, group: own, reference: has } = row.dataset;
    row.hidden = !(said.includes(text) && (!group || group === own) && (!reference || reference === has));
    count += !row.hidden;
  }
  shown.textContent = shown.dataset.text.replace("{n}", count).replace("{all}", rows.length);
  none.hidden = count > 0;
  address.set({ q: q.trim(), group, reference });
}

form.querySelector("[data-without-script]").hidden = true;
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  filter();
});
