"""Watches a page for what moves though nobody touched it: live figures change their text, and nothing beside them."""

from playwright.sync_api import Page

# Every tenth of a second where each element stands. One whose own words changed may grow or shrink, and moves no other.
# Drawings move within their frame, and a list that takes what is new at its top pushes down what it held. What nobody
# sees, as in a menu that is closed, has a place of its own in Chromium all the same.
WATCH = """() => {
  const OWN = 'svg *, [data-pane-chart] *, [data-canvas] *, [data-alerts] *';
  const moved = window.moved = new Map();
  const words = (element) => [...element.childNodes].map((node) => node.nodeType === 3 ? node.data : '').join('');
  const pathOf = (element) => element === document.body ? '' :
    `${pathOf(element.parentElement)}>${[...element.parentElement.children].indexOf(element)}`;
  const called = (element) => `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}` +
    ` ${JSON.stringify(element.textContent.trim().slice(0, 24))}`;
  const places = () => new Map([...document.body.querySelectorAll(`*:not(${OWN})`)].map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    if (!element.checkVisibility() || !(width || height)) return [];
    return [pathOf(element), { element, words: words(element), x: x + scrollX, y: y + scrollY }];
  }).filter(([path]) => path));
  let before = places();
  window.watching = setInterval(() => {
    const now = places();
    for (const [path, { element, words: said, x, y }] of now) {
      const was = before.get(path);
      if (!was || was.words !== said || (Math.abs(was.x - x) < 0.5 && Math.abs(was.y - y) < 0.5)) continue;
      moved.set(path, `${called(element)} by ${(x - was.x).toFixed(1)}, ${(y - was.y).toFixed(1)}`);
    }
    before = now;
  }, 100);
  const spoke = new Set(); // elements whose own words changed
  window.changes = 0;
  const heard = ({ target }) => (changes += 1, spoke.add(target.nodeType === 3 ? target.parentElement : target));
  new MutationObserver((changes) => changes.forEach(heard))
    .observe(document.body, { subtree: true, childList: true, characterData: true });
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { sources } of list.getEntries()) for (const { node } of sources) {
      const isOwn = !node || node.nodeType === 3 || node.matches(OWN) || (spoke.has(node) && !node.children.length);
      if (!isOwn) shifts.push(called(node));
    }
  }).observe({ type: 'layout-shift' });
}"""
TOLD = "() => { clearInterval(watching); return [...moved.values(), ...shifts]; }"


def moved(pages: dict[str, Page], seconds: float) -> dict[str, list[str]]:
    """What moved on each of these pages in so many seconds, and by how much; those that stood still are left out."""
    for page in pages.values():
        page.evaluate(WATCH)
    next(iter(pages.values())).wait_for_timeout(seconds * 1000)
    told = {name: page.evaluate(TOLD) for name, page in pages.items()}
    return {name: each for name, each in told.items() if each}


def changes(page: Page) -> int:
    """How many texts changed meanwhile."""
    return page.evaluate("() => changes")
