/** What a hand does with a tool is said on the stage itself on its first use. */

import { tell, tellNoMore } from "../canvas/told";
import { type ToolName, toolNamed } from "../tools/table";

const SEEN = "rehearse.tools-seen";

function seen(): string[] {
  try {
    return JSON.parse(localStorage.getItem(SEEN) ?? "[]");
  } catch {
    // A browser that keeps nothing is told every time.
    return [];
  }
}

/** Says on the stage how a tool is used that was not in this browser's hand before. */
export function hintAtFirst(tool: ToolName): void {
  const known = seen();
  if (tool === "select" || known.includes(tool)) return;
  try {
    localStorage.setItem(SEEN, JSON.stringify([...known, tool]));
  } catch {
    // As above.
  }
  tell(toolNamed(tool).hint);
  tellNoMore();
}
