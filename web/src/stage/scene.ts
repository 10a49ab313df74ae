/** All that is drawn on the stage at one moment. */

import type { Palette } from "../canvas/palette";
import type { FrameSource } from "../canvas/strips";
import type { Size, View } from "../canvas/view";
import { instructionsOf, type Mask, type Shot } from "../document/shot";
import type { Guides } from "../document/snapping";
import type { Selection } from "../document/store";
import type { ToolName } from "../tools/table";

export interface Scene {
  view: View;
  frame: Size;
  /** The document, with the gesture that is under way. */
  shot: Shot;
  selection: Selection | null;
  time: number;
  frames: number;
  palette: Palette;
  overlays: boolean;
  /** Whether the shot's strokes lie over the picture. */
  strokes: boolean;
  onion: boolean;
  shown: FrameSource | null;
  /** The whole picture of which the frame shows a part: the rest lies dimly around it. */
  beyond: HTMLImageElement | null;
  compared: FrameSource | null;
  compareMode: "wipe" | "side" | null;
  wipe: number;
  guides: Guides | null;
  /** A line being drawn: a lasso or a way. */
  line: readonly (readonly [number, number])[] | null;
  /** A region that waits for its drag. */
  dragRegion: Mask | null;
  /** Whether drags bend the picture that is shown. */
  bending: boolean;
}

/**
 * Whether strokes are shown. They say what is to be painted on the picture: over a take, which was made from
 * them, they lie only while somebody works on them.
 */
export function showsStrokes(
  overTake: boolean,
  tool: ToolName,
  shot: Shot,
  selection: Selection | null,
): boolean {
  if (!overTake || tool === "brush" || tool === "eraser") return true;
  const chosen = selection ? instructionsOf(shot)[selection.instruction] : undefined;
  return chosen?.kind === "content" && (chosen.strokes?.length ?? 0) > 0;
}

/** Room between two frames side by side, as a fraction of a frame's width. */
export const GAP = 0.04;
