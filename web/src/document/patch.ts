/** JSON Patch (RFC 6902), as far as the server's fixes use it: add, replace and remove. */

export interface Operation {
  op: "add" | "replace" | "remove";
  /** JSON pointer. */
  path: string;
  value?: unknown;
}

type Holder = Record<string, unknown> | unknown[];

const keyOf = (at: Holder, part: string): number | string =>
  Array.isArray(at) ? (part === "-" ? at.length : Number(part)) : part;

/** Changes a document in place. False where it has no such place; what came before is done then. */
export function patch(document: object, operations: readonly Operation[]): boolean {
  for (const { op, path, value } of operations) {
    const way = path
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = way.pop();
    let at = document as Holder;
    for (const part of way) {
      const inner = (at as Record<string | number, unknown>)[keyOf(at, part)];
      if (inner === null || typeof inner !== "object") return false;
      at = inner as Holder;
    }
    if (last === undefined) return false;
    const key = keyOf(at, last);
    if (Array.isArray(at)) {
      if (op === "remove") at.splice(key as number, 1);
      else if (op === "add") at.splice(key as number, 0, value);
      else at[key as number] = value;
    } else if (op === "remove") delete at[key];
    else at[key] = value;
  }
  return true;
}
