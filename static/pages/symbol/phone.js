// The symbol page on a phone: its price stays in sight, and the key figures come as a sheet from below.

const NARROW = matchMedia("(max-width: 640px)");
const head = document.querySelector(".symbol .head");
const line = document.querySelector("[data-sticky-price]");
const figures = document.getElementById("figures");

function fold() {
  figures.popover = NARROW.matches ? "auto" : null;
  figures.classList.toggle("bottom-sheet", NARROW.matches);
  if (NARROW.matches) figures.role = "dialog";
  else figures.removeAttribute("role");
}

/** What the head says, in one line. */
function follow() {
  for (const [place, name] of [["strong", "[data-price]"], ["span", "[data-move]"]]) {
    const text = head.querySelector(name).textContent.trim();
    const shown = line.querySelector(place);
    if (shown.textContent !== text) shown.textContent = text;
  }
}

fold();
follow();
NARROW.addEventListener("change", fold);
new MutationObserver(follow).observe(head.querySelector(".now"), { subtree: true, childList: true, characterData: true });
const bar = document.querySelector(".topbar").offsetHeight;
new IntersectionObserver(([{ isIntersecting }]) => {
  line.hidden = isIntersecting;
}, { rootMargin: `-${bar}px 0px 0px` }).observe(head);
