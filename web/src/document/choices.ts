/** Some of a few names, as settings of methods hold them; null where the model decides. */

/** What is chosen once a name is ticked or not, in the options' own order. Fewer than `least` decide nothing. */
export function chosenAfter<T extends string>(
  options: readonly T[],
  chosen: readonly T[] | null,
  option: T,
  ticked: boolean,
  least = 0,
): T[] | null {
  const kept = options.filter((other) => (other === option ? ticked : chosen?.includes(other)));
  return kept.length < least ? null : kept;
}
