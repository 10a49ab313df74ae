/**
 * The words of the prompt that paths and marks are for follow what is typed: before, after and inside them, and
 * over them. What is typed in their place takes their place, as far as it names one thing.
 */
import { mentions, type Span } from "./phrases";
import {
  type Instruction,
  instructionsOf,
  type PathTrajectory,
  type Shot,
  type TargetInstruction,
} from "./shot";

type Named = PathTrajectory | TargetInstruction;

/** Words that no name of a thing goes beyond. */
const ENDS = new RegExp(
  `^(?:${[
    "a an the and or but while as then with without of over under in into inside on onto at by for from to toward",
    "towards through across along around behind before after above below beside between near against off up down",
    "is are was were be moves arcs bounces grows shrinks stands turns runs walks flies swims jumps rolls falls",
    "reaches hops lowers sits lies drives sails spins rises floats",
  ]
    .join(" ")
    .replaceAll(" ", "|")})$`,
  "i",
);
const MOST_WORDS = 6;
const WORD = /[\p{L}\p{N}_]/u;

export const takesWords = (instruction: Instruction | undefined): instruction is Named =>
  instruction?.kind === "target" ||
  (instruction?.kind === "trajectory" && (instruction.form === "box" || instruction.form === "point"));

/** Where in the prompt the words of an instruction stand; null where it names none, or none that are there. */
export function boundTo(prompt: string, instruction: Instruction | undefined): Span | null {
  if (!takesWords(instruction) || !instruction.phrase) return null;
  return mentions(prompt, instruction.phrase)[(instruction.occurrence ?? 1) - 1] ?? null;
}

/** Whether an instruction names words that the prompt does not say. */
export const isLoose = (prompt: string, instruction: Instruction): boolean =>
  takesWords(instruction) && !!instruction.phrase && boundTo(prompt, instruction) === null;

/** Words that are being changed, as the last edit left them. */
interface Changing {
  span: Span;
  /** Whether what is typed behind them goes on with them: their end was taken away or typed over. */
  grows: boolean;
  /** What the instruction was for before. */
  before: { phrase: string; occurrence: number | null };
}

let changing: { prompt: string; words: Map<number, Changing> } | null = null;

/**
 * The one stretch in which two texts differ: where it starts, where it ends in each. caret: where the change
 * ends, which the texts alone do not say where the same letter follows.
 */
function edited(
  before: string,
  after: string,
  caret?: number,
): [start: number, end: number, endAfter: number] {
  let back = 0;
  if (caret !== undefined && before.endsWith(after.slice(caret))) back = after.length - caret;
  const most = Math.min(before.length, after.length) - back;
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  if (caret === undefined)
    while (
      back < Math.min(before.length, after.length) - start &&
      before[before.length - 1 - back] === after[after.length - 1 - back]
    )
      back++;
  return [start, before.length - back, after.length - back];
}

/** Widened to whole words: who types on at a word changes it. */
function wholeWords(prompt: string, [start, end]: Span): Span {
  const within = (at: number) => WORD.test(prompt[at - 1] ?? "") && WORD.test(prompt[at] ?? "");
  let [low, high] = [start, end];
  while (low > 0 && within(low)) low--;
  while (high < prompt.length && within(high)) high++;
  return [low, high];
}

/** The name of one thing at the beginning of a text, without its article; where it stands in the text. */
export function nameIn(text: string): Span | null {
  let found: Span | null = null;
  let count = 0;
  for (const match of text.matchAll(/[\p{L}\p{N}_'’-]+|[^\s\p{L}\p{N}_'’-]/gu)) {
    const [word] = match;
    if (!found && /^(?:a|an|the)$/i.test(word)) continue;
    if (!WORD.test(word) || ENDS.test(word) || count === MOST_WORDS) break;
    found = [found ? found[0] : match.index, match.index + word.length];
    count++;
  }
  return found;
}

const plain = (phrase: string): string =>
  phrase
    .trim()
    .replace(/^(?:a|an|the)\s+(?=\S)/i, "")
    .replace(/\s+/g, " ")
    .toLowerCase();

/** Lets an instruction be for the words at a place of the prompt. */
function name(prompt: string, span: Span, instruction: Named): void {
  const phrase = prompt.slice(...span).replace(/\s+/g, " ");
  const all = mentions(prompt, phrase);
  const nth = all.findIndex(([start, end]) => start < span[1] && end > span[0]);
  if (plain(phrase) !== plain(instruction.phrase ?? "")) instruction.phrase = phrase;
  const occurrence = all.length > 1 && nth >= 0 ? nth + 1 : null;
  if ((instruction.occurrence ?? null) !== occurrence) instruction.occurrence = occurrence;
}

/** Writes a prompt into a draft of the shot; the words of its paths and marks follow. caret: see `edited`. */
export function writePrompt(shot: Shot, prompt: string, caret?: number): void {
  const before = shot.prompt;
  if (before === prompt) return;
  const known = changing?.prompt === before ? changing.words : new Map<number, Changing>();
  const words = new Map<number, Changing>();
  const [start, end, endAfter] = edited(before, prompt, caret);
  const shift = endAfter - end;
  const named = instructionsOf(shot).flatMap((instruction, index) => {
    if (!takesWords(instruction) || !instruction.phrase) return [];
    const was = known.get(index);
    const span = was?.span ?? boundTo(before, instruction);
    return span ? [{ instruction, index, span, was }] : [];
  });
  // Several things typed over at once: nobody can say which of the new words is which.
  const over = named.filter(({ span: [low, high] }) => start <= low && end >= high && end > start).length;
  shot.prompt = prompt;
  for (const { instruction, index, span, was } of named) {
    const [low, high] = span;
    const grows = was?.grows ?? false;
    const first = was?.before ?? {
      phrase: instruction.phrase as string,
      occurrence: instruction.occurrence ?? null,
    };
    const inserts = start === end;
    const go = (next: Span, grow: boolean) => {
      const text = prompt.slice(...next);
      const said = grow ? nameIn(text) : text.trim() ? ([0, text.trimEnd().length] as Span) : null;
      words.set(index, { span: next, grows: grow, before: first });
      if (said) name(prompt, wholeWords(prompt, [next[0] + said[0], next[0] + said[1]]), instruction);
      else Object.assign(instruction, first);
    };
    if (end < low || (end === low && !(inserts && grows))) {
      go([low + shift, high + shift], grows);
    } else if (start > high || (start === high && !(inserts && grows))) {
      go(span, grows);
      // What is typed on at their last word changes it.
      const whole = wholeWords(prompt, span);
      if (start === high && whole[1] > high) go(whole, grows);
      else words.set(index, { span, grows: false, before: first });
    } else if (start <= low && end >= high && !inserts) {
      const around = /^\s*(?:(?:a|an|the)\s+)?$/i.test(before.slice(start, low));
      if (over === 1 && around && !before.slice(high, end).trim()) go([start, endAfter], true);
      else if (over === 1) aligned(before, prompt, span, instruction);
    } else go([Math.min(low, start), Math.max(high + shift, endAfter)], grows || (end >= high && !inserts));
  }
  changing = { prompt, words };
}

/** Words of a text with where they stand. */
const wordsOf = (text: string) =>
  [...text.matchAll(/[\p{L}\p{N}_'’-]+/gu)].map((match) => ({
    word: match[0].toLowerCase(),
    span: [match.index, match.index + match[0].length] as Span,
  }));

/**
 * Where a prompt was written anew all at once: binds an instruction to the words that stand between the same
 * neighbours as its own did. False where its neighbours are not there.
 */
function aligned(before: string, after: string, [low, high]: Span, instruction: Named): boolean {
  const [old, now] = [wordsOf(before), wordsOf(after)];
  const first = old.findIndex(({ span }) => span[0] >= low);
  const last = old.findLastIndex(({ span }) => span[1] <= high);
  const follows = old[last + 1]?.word;
  if (!follows) return false;
  const places = now.flatMap(({ word }, i) => (word === follows ? [i] : []));
  if (places.length !== 1 || old.filter(({ word }) => word === follows).length !== 1) return false;
  const stop = now[places[0] as number]?.span[0] as number;
  const lead = old[first - 1]?.word;
  const from = lead ? now.findLastIndex(({ word, span }) => word === lead && span[1] < stop) : -1;
  if (lead && from < 0) return false;
  const begin = from < 0 ? 0 : (now[from]?.span[1] as number);
  const said = nameIn(after.slice(begin, stop));
  if (!said) return false;
  name(after, [begin + said[0], begin + said[1]], instruction);
  return true;
}
