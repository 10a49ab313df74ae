/** All that is drawn on the stage at one moment. */

import type { Mask, Shot } from "../document/shot";
import type { Guides } from "../document/snapping";
import type { Selection } from "../document/store";
import type { Palette } from "./palette";
import type { FrameSource } from "./strips";
import type { Size, View } from "./view";

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
  onion: boolean;
  shown: FrameSource | null;
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

/** Room between two frames side by side, as a fraction of a frame's width. */
export const GAP = 0.04;
