/** The tree of takes, laid out in lanes: a branch starts under its parent, at the step it branched from. */
import type { Take } from "../api/client";

export interface Lane {
  take: Take;
  depth: number;
  /** Row of the parent's lane; null for a take that starts anew, or whose parent is in the bin. */
  parentRow: number | null;
  /** Step at which the lane starts. */
  from: number;
}

/** Lanes from top to bottom: every take, then its branches, in the order they were made. */
export function lanesOf(takes: readonly Take[]): Lane[] {
  const known = new Map(takes.map((take) => [take.id, take]));
  const children = new Map<string | null, Take[]>();
  for (const take of [...takes].sort((a, b) => a.created - b.created)) {
    const parent = take.parent !== null && known.has(take.parent) ? take.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), take]);
  }
  const lanes: Lane[] = [];
  const stack: { take: Take; depth: number; parentRow: number | null }[] = (children.get(null) ?? [])
    .map((take) => ({ take, depth: 0, parentRow: null }))
    .reverse();
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { take, depth, parentRow } = entry;
    const row = lanes.length;
    lanes.push({ take, depth, parentRow, from: take.branch_step ?? 0 });
    for (const child of [...(children.get(take.id) ?? [])].reverse())
      stack.push({ take: child, depth: depth + 1, parentRow: row });
  }
  return lanes;
}
