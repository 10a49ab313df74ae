/** One line for each tool: what a hand does with it. On its first use it is said on the stage itself. */
import type { ToolName } from "../desk/session";
import { tell, tellNoMore } from "./told";

export const HINTS: Record<ToolName, string> = {
  select: "Drag a thing to move it at this frame; drag its line to move the whole path.",
  box: "Drag to draw a box around the thing. Then go to another frame and move it there, or record its motion.",
  point: "Draw the path of the thing's centre in one stroke; it spans the whole clip.",
  pin: "Click a spot that should stay where it is.",
  drag: "Press on the picture and pull: what is under the pointer follows.",
  brush: "Paint on the picture; the model turns the paint into something real.",
  eraser: "Erase paint.",
  region: "Draw around what should change.",
  target: "Draw around the one thing that the words mean.",
  hand: "Drag to move the view. With any other tool, hold Space.",
};

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
  tell(HINTS[tool]);
  tellNoMore();
}
