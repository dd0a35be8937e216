// Hangul as it is typed: syllables found by their letters, names by their initial consonants, and Latin letters that were
// typed on a Korean board.

const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
const FINALS = ["", ..."ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"];
const PARTS = { ㄳ: "ㄱㅅ", ㄵ: "ㄴㅈ", ㄶ: "ㄴㅎ", ㄺ: "ㄹㄱ", ㄻ: "ㄹㅁ", ㄼ: "ㄹㅂ", ㄽ: "ㄹㅅ", ㄾ: "ㄹㅌ", ㄿ: "ㄹㅍ", ㅀ: "ㄹㅎ", ㅄ: "ㅂㅅ",
  ㅘ: "ㅗㅏ", ㅙ: "ㅗㅐ", ㅚ: "ㅗㅣ", ㅝ: "ㅜㅓ", ㅞ: "ㅜㅔ", ㅟ: "ㅜㅣ", ㅢ: "ㅡㅣ" };
const [KEYS, TYPED] = ["ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡㅃㅉㄸㄲㅆㅒㅖ", "qwertyuiopasdfghjklzxcvbnmqwertop"];
const BOARD = Object.fromEntries([...KEYS].map((letter, place) => [letter, TYPED[place]]));
const FIRST = 0xac00;
const LAST = 0xd7a3;

export function hasHangul(text) {
  return /[ㄱ-ㅎㅏ-ㅣ가-힣]/.test(text);
}

/** Where `typed` begins in `text`, or -1. A lone consonant stands for any syllable that begins with it; the syllable under
 * the cursor may still be open: 앺 is on its way to 애플. */
export function find(typed, text) {
  const asked = [...typed].map((letter) => (isConsonant(letter) ? letters(letter) : letter)).join("");
  for (let at = 0; at + asked.length <= text.length; at += 1) if (isAt(asked, text, at)) return at;
  return -1;
}

/** What the same keys write on a Latin board: ㅁㅁㅔㅣ is aapl. */
export function latin(typed) {
  return [...letters(typed)].map((letter) => BOARD[letter] ?? letter).join("");
}

function isAt(typed, text, at) {
  const last = typed.length - 1;
  for (let place = 0; place < last; place += 1) {
    const [asked, found] = [typed[place], text[at + place]];
    if (asked !== found && !(isConsonant(asked) && initial(found) === asked)) return false;
  }
  const [asked, rest] = [typed[last], text.slice(at + last, at + last + 2)];
  return isConsonant(asked) ? [rest[0], initial(rest[0])].includes(asked) : letters(rest).startsWith(letters(asked));
}

function isConsonant(letter) {
  return letter >= "ㄱ" && letter <= "ㅎ";
}

function isSyllable(letter) {
  const code = letter?.charCodeAt(0);
  return code >= FIRST && code <= LAST;
}

function initial(letter) {
  return isSyllable(letter) ? INITIALS[Math.floor((letter.charCodeAt(0) - FIRST) / (VOWELS.length * FINALS.length))] : null;
}

/** Every letter by itself, in the order of typing: 앺 is ㅇㅐㅍ. */
function letters(text) {
  return [...text].flatMap(spelled).map((letter) => PARTS[letter] ?? letter).join("");
}

function spelled(letter) {
  if (!isSyllable(letter)) return [letter];
  const code = letter.charCodeAt(0) - FIRST;
  return [initial(letter), VOWELS[Math.floor(code / FINALS.length) % VOWELS.length], FINALS[code % FINALS.length]];
}
