// Which entries a few typed words mean, and which of them first.

import { find, hasHangul, latin } from "../../words/hangul.js";

const [WHOLE, BEGINS, WORD_BEGINS, HOLDS, TYPO] = [0, 1, 2, 4, 8];
const SHORTEST_WITH_TYPO = 3;

/** The entries that have every word of `text`, in any order, best first; where none has, those with one letter mistyped,
 * and then those meant by the same keys on a Latin board. `recency(entry)` is low for what was chosen lately. */
export function ranked(entries, text, recency = () => Infinity) {
  const words = split(text);
  let found = having(entries, words, 0);
  if (!found.length) found = having(entries, words, 1);
  if (!found.length && hasHangul(text)) return ranked(entries, latin(text), recency);
  const later = (a, b) => (recency(a) === recency(b) ? 0 : recency(a) - recency(b));
  return found.sort((a, b) => a.score - b.score || later(a.entry, b.entry) || a.entry.order - b.entry.order).map(({ entry }) => entry);
}

function having(entries, words, mostTypos) {
  return entries.map((entry) => ({ entry, score: scoreOf(entry, words, mostTypos) })).filter(({ score }) => score !== null);
}

/** Low is good; null where a word is missing. */
function scoreOf({ said }, words, mostTypos) {
  let [sum, typos] = [0, 0];
  for (const word of words) {
    let score = best(said.map((each) => likeness(each, word)));
    if (score === null && typos < mostTypos && said.some((each) => each.words.some((whole) => isNear(word, whole)))) {
      score = TYPO;
      typos += 1;
    }
    if (score === null) return null;
    sum += score;
  }
  return sum;
}

function best(scores) {
  const known = scores.filter((score) => score !== null);
  return known.length ? Math.min(...known) : null;
}

function likeness({ whole, words }, word) {
  if (whole === word) return WHOLE;
  if (whole.startsWith(word)) return BEGINS;
  if (words.some((each) => each.startsWith(word))) return WORD_BEGINS;
  if (hasHangul(word)) return inHangul(whole, word);
  return word.length > 1 && whole.includes(word) ? HOLDS : null;
}

function inHangul(whole, word) {
  const at = find(word, whole.replaceAll(" ", ""));
  if (at < 0) return null;
  return at ? HOLDS : BEGINS;
}

/** Whether one letter too many, too few, wrong or out of its place keeps `typed` from beginning `word`. */
export function isNear(typed, word) {
  if (typed.length < SHORTEST_WITH_TYPO || hasHangul(typed)) return false;
  let same = 0;
  while (same < typed.length && typed[same] === word[same]) same += 1;
  const [rest, other] = [typed.slice(same), word.slice(same)];
  return [
    other.startsWith(rest.slice(1)),
    other.slice(1).startsWith(rest),
    other && other.slice(1).startsWith(rest.slice(1)),
    rest.length > 1 && other.startsWith(rest[1] + rest[0]) && other.slice(2).startsWith(rest.slice(2)),
  ].some(Boolean);
}

/** What an entry is found by, made once: lower case, whole and by words. */
export function saying(...texts) {
  return texts.filter(Boolean).map((text) => {
    const whole = text.normalize("NFC").toLowerCase();
    return { whole, words: split(whole) };
  });
}

function split(text) {
  return text.normalize("NFC").toLowerCase().split(/[\s,.:·/()&-]+/u).filter(Boolean);
}
