// What an open Korean page says in English: texts, and what stands in attributes for people.

(names) => {
  const within =
    'script, style, template, noscript, code, pre, kbd, samp, textarea, [translate=no], [lang]:not(html):not([lang=ko]), [href*="tradingview.com"]';
  const bare = (text) =>
    names.reduce((rest, name) => rest.replaceAll(name, " "), text).replace(/[\w-]+[._/:@][\w./:@-]*/g, " ");
  // One word in small letters is one of the interface, such as a kind of stream.
  const isLeft = (text) => text && !/[가-힣]/.test(text) && /[A-Z][a-z]{2,}|[a-z]{2,} [a-z]{2,}/.test(bare(text));
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    if (!walker.currentNode.parentElement.closest(within) && isLeft(text)) found.add(text);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"]) {
    for (const each of document.querySelectorAll(`[${name}]`)) {
      if (!each.closest(within) && isLeft(each.getAttribute(name))) found.add(`${name}: ${each.getAttribute(name)}`);
    }
  }
  if (isLeft(document.title)) found.add(`title: ${document.title}`);
  return [...found];
}
