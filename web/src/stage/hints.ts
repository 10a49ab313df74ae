/** One line for each tool: what a hand does with it. On its first use it is said on the stage itself. */
import type { ToolName } from "../desk/session";
import { tell, tellNoMore } from "./told";

export const HINTS: Record<ToolName, string> = {
  select:
    "Pull a thing to move it: that makes the keyframe of the frame you see. Its line moves the whole path.",
  box: "Drag to draw a box round the thing. Then go to another frame and pull it there, or record its motion.",
  point: "Draw the way of the thing's centre in one stroke: it takes the whole clip.",
  pin: "Click what should stay where it is.",
  drag: "Press on the picture and pull: it bends along.",
  brush: "Paint on the picture; the model turns paint into content.",
  eraser: "Rub paint out.",
  region: "Draw round what should change.",
  target: "Draw round the one thing that the words mean.",
  hand: "Pull the stage about. With any tool: hold Space.",
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
