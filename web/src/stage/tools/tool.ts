/** What a tool is: it answers a press with a gesture, and a gesture ends as one command, or as nothing. */

import type { View } from "../../canvas/view";
import type { Point, Shot, Stroke } from "../../document/shot";
import type { Guides } from "../../document/snapping";
import type { Selection } from "../../document/store";

export interface Pointer {
  /** Fractions of the frame. */
  at: Point;
  /** Pixels of the stage. */
  screen: Point;
  /** In [0, 1]; null where the device has none. */
  pressure: number | null;
  shift: boolean;
  alt: boolean;
  /** Held to go without snapping. */
  free: boolean;
  /** When, in milliseconds of a clock that never goes back. */
  when: number;
  /** Whether it is a finger: its reach is wider. */
  finger: boolean;
}

export type Recipe = (shot: Shot) => Selection | null | undefined;

/** The part of the stage that tools work with. */
export interface Workbench {
  readonly shot: Shot;
  readonly selection: Selection | null;
  readonly time: number;
  readonly frames: number;
  readonly view: View;
  /** Shows a command's result without performing it. */
  draft(label: string, recipe: Recipe): void;
  /** Performs what was drafted last. */
  commit(): void;
  perform(label: string, recipe: Recipe): void;
  select(selection: Selection | null): void;
  scrubTo(time: number): void;
  showGuides(guides: Guides | null): void;
  /** Says what the gesture under way does, or why it did nothing. */
  tell(sentence: string): void;
  showLine(points: Point[] | null): void;
  showStroke(stroke: Stroke | null): void;
  /** Moves the view, in pixels of the stage. */
  pan(dx: number, dy: number): void;
}

export interface Gesture {
  move(pointer: Pointer): void;
  /** Letting go; the workbench clears its buffers afterwards. */
  end(pointer: Pointer): void;
  /** Whether it goes on after the pointer was let go: by further clicks, until it is finished or dropped. */
  goesOn?(): boolean;
  /** A further click of a gesture that goes on. */
  again?(pointer: Pointer): void;
  /** Ends a gesture that goes on, with what there is. */
  finish?(): void;
  /** Dropped: nothing is done. */
  cancel?(): void;
}

export interface Tool {
  cursor: string;
  press(bench: Workbench, pointer: Pointer): Gesture | null;
}

/** How far a press may wander, in pixels, and still be a click. */
export const CLICK = 4;

export const wandered = (from: Pointer, to: Pointer): boolean =>
  Math.hypot(from.screen[0] - to.screen[0], from.screen[1] - to.screen[1]) > CLICK;
