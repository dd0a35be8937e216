// A symbol that is not followed here is added by who is logged in; once it is there, the page is its own.

import { addSymbol } from "../../components/adding.js";

const button = document.querySelector("[data-add]");
const said = document.querySelector("[data-said]");
button.addEventListener("click", async () => {
  button.disabled = true;
  const isThere = await addSymbol(button.dataset.add, said);
  button.disabled = false;
  if (isThere) location.reload();
});
