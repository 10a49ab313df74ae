/** Own waiting takes in another order: `take` goes one place up or down among them. */
export function reordered(own: readonly string[], take: string, by: 1 | -1): string[] {
  const at = own.indexOf(take);
  const to = at + by;
  if (at < 0 || to < 0 || to >= own.length) return [...own];
  const order = [...own];
  [order[at], order[to]] = [order[to] as string, order[at] as string];
  return order;
}
