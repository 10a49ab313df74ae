/** Entries of a long list that a few words find, wherever they stand in it. */
interface Named {
  label: string;
  hint?: string;
}

/** From how many entries on a list is searched rather than looked through. */
export const SEARCHED = 9;

/** The entries that have every word in their name or what is said of them, those with it in the name first. */
export function found<T extends Named>(entries: readonly T[], words: string): T[] {
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const has = (text: string) => wanted.every((word) => text.toLocaleLowerCase().includes(word));
  const named = entries.filter(({ label }) => has(label));
  const said = entries.filter((entry) => !named.includes(entry) && has(`${entry.label} ${entry.hint ?? ""}`));
  return [...named, ...said];
}
