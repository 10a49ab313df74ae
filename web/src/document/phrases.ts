/** Words of a prompt: mentions of a phrase, unknown words of a closed vocabulary. */

export type Span = [start: number, end: number];

const ESCAPED = /[.*+?^${}()|[\]\\]/g;

/** Every mention of a phrase in a prompt: whole words, any case, without a leading article. */
export function mentions(prompt: string, phrase: string): Span[] {
  const words = phrase
    .trim()
    .replace(/^(?:a|an|the)\s+(?=\S)/i, "")
    .split(/\s+/)
    .filter(Boolean);
  if (!words.length) return [];
  const pattern = words.map((word) => word.replace(ESCAPED, "\\$&")).join("\\s+");
  const found = prompt.matchAll(new RegExp(`(?<![\\p{L}\\p{N}_])${pattern}(?![\\p{L}\\p{N}_])`, "giu"));
  return [...found].map((match) => [match.index, match.index + match[0].length]);
}

/** The whole words a selection touches, as a phrase without a leading article; null for none. */
export function phraseAt(prompt: string, start: number, end: number): string | null {
  const words = [...prompt.matchAll(/[\p{L}\p{N}_'-]+/gu)].filter(
    (match) => match.index < Math.max(end, start + 1) && match.index + match[0].length > start,
  );
  while (words.length > 1 && /^(?:a|an|the)$/i.test((words[0] as RegExpExecArray)[0])) words.shift();
  const [first, last] = [words[0], words.at(-1)];
  if (!first || !last || first[0].match(/^(?:a|an|the)$/i)) return null;
  return prompt.slice(first.index, last.index + last[0].length).replace(/\s+/g, " ");
}

/** Words, and emoji and other signs that stand for things; punctuation is neither. */
const WORDS = new RegExp(
  "[\\p{L}\\p{N}_]+(?:['’-][\\p{L}\\p{N}_]+)*" +
    "|[^\\p{L}\\p{N}_\\s\\u0000-\\u036f\\u2000-\\u206f\\u3000-\\u303f\\ufe00-\\ufe0f\\uff00-\\uffef]+",
  "gu",
);

/** Where words stand that a closed vocabulary (lower case) does not have. */
export function unknownWords(prompt: string, vocabulary: readonly string[]): Span[] {
  const known = new Set(vocabulary);
  return [...prompt.matchAll(WORDS)]
    .filter((match) => !known.has(match[0].toLowerCase()))
    .map((match) => [match.index, match.index + match[0].length]);
}
