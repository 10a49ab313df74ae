/** What lies under the pointer. */

import { toScreen, type View } from "../canvas/view";
import { contains, distance, distanceToSegment, inPolygon } from "../document/geometry";
import { centreOf, valueAt } from "../document/keyframes";
import {
  type BoxKeyframe,
  type Instruction,
  instructionsOf,
  isDrag,
  isPath,
  type Mask,
  type PathTrajectory,
  type Point,
  type PointKeyframe,
  type Shot,
} from "../document/shot";
import type { Selection } from "../document/store";

/** Which edges of a box a grip moves: left or right, top or bottom; null leaves an axis alone. */
export interface Grip {
  at: Point;
  x: 0 | 2 | null;
  y: 1 | 3 | null;
  cursor: string;
}

export type Hit =
  | { kind: "grip"; selection: Selection; grip: Grip }
  | { kind: "keyframe"; selection: Selection }
  | { kind: "body"; selection: Selection }
  /** The line of the selected path: the path as a whole. */
  | { kind: "trail"; selection: Selection }
  | { kind: "handle" | "target"; selection: Selection };

/** The eight grips of a box. */
export function gripsOf(box: readonly number[]): Grip[] {
  const [x0, y0, x1, y1] = box as [number, number, number, number];
  const [mx, my] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [
    { at: [x0, y0], x: 0, y: 1, cursor: "nwse-resize" },
    { at: [x1, y0], x: 2, y: 1, cursor: "nesw-resize" },
    { at: [x0, y1], x: 0, y: 3, cursor: "nesw-resize" },
    { at: [x1, y1], x: 2, y: 3, cursor: "nwse-resize" },
    { at: [mx, y0], x: null, y: 1, cursor: "ns-resize" },
    { at: [mx, y1], x: null, y: 3, cursor: "ns-resize" },
    { at: [x0, my], x: 0, y: null, cursor: "ew-resize" },
    { at: [x1, my], x: 2, y: null, cursor: "ew-resize" },
  ];
}

const GRIP = 9;
const DOT = 10;
const LINE = 7;
/** How much farther a finger reaches than a pointer. */
const FINGER = 2;

/** How finely a path's line is drawn. */
export const TRAIL_POINTS = 48;

/** The places of a path's centre over the clip. */
export const trailOf = (path: PathTrajectory): Point[] =>
  Array.from({ length: TRAIL_POINTS + 1 }, (_, i) => centreOf(valueAt(path, i / TRAIL_POINTS)));

function inMask(mask: Mask, point: Point): boolean {
  return (
    (mask.box != null && contains(mask.box, point)) ||
    (mask.polygon != null && inPolygon(mask.polygon as Point[], point)) ||
    (mask.strokes ?? []).some((stroke) =>
      stroke.points.some((at) => distance(at as Point, point) < (stroke.width ?? 0.05) / 2),
    )
  );
}

/**
 * The topmost thing at a screen point; the selected one's parts first.
 *
 * Where a path stands at this time comes before its keyframes of other times: what is taken there is moved at
 * the frame that is shown. Its line comes last.
 */
export function hitTest(
  shot: Shot,
  selection: Selection | null,
  time: number,
  view: View,
  at: Point,
  point: Point,
  finger = false,
): Hit | null {
  const instructions = instructionsOf(shot);
  const wider = finger ? FINGER : 1;
  const near = (place: readonly number[], reach: number) =>
    distance(toScreen(view, place), at) <= reach * wider;
  const chosen: Instruction | undefined = selection ? instructions[selection.instruction] : undefined;
  if (selection && isPath(chosen)) {
    const path: PathTrajectory = chosen;
    const keyframes: readonly (BoxKeyframe | PointKeyframe)[] = path.path.keyframes;
    const value = valueAt(path, time);
    if (path.form === "box") {
      const [x0, y0, x1, y1] = value as [number, number, number, number];
      const side = Math.min((x1 - x0) * view.width, (y1 - y0) * view.height);
      // Within a small box most of it is left for moving it.
      const reach = contains(value, point) ? Math.min(GRIP * wider, side / 4) / wider : GRIP;
      for (const grip of gripsOf(value)) if (near(grip.at, reach)) return { kind: "grip", selection, grip };
    }
    const here = value.length === 4 ? contains(value, point) : near(value, DOT + 4);
    if (keyframes.length > 1 && !here)
      for (const [part, keyframe] of keyframes.entries()) {
        const centre = "box" in keyframe ? centreOf(keyframe.box) : (keyframe.point as Point);
        if (near(centre, DOT)) return { kind: "keyframe", selection: { ...selection, part } };
      }
  }
  for (let index = instructions.length - 1; index >= 0; index--) {
    const instruction = instructions[index];
    if (!instruction) continue;
    const whole = { instruction: index, part: null };
    if (isDrag(instruction)) {
      for (const [part, move] of instruction.moves.entries()) {
        for (const end of ["target", "handle"] as const)
          if (near(move[end], DOT)) return { kind: end, selection: { instruction: index, part, end } };
        const [from, to] = [toScreen(view, move.handle), toScreen(view, move.target)];
        if (distanceToSegment(at, from, to) < LINE * wider)
          return { kind: "body", selection: { instruction: index, part } };
      }
      if (instruction.region && inMask(instruction.region, point)) return { kind: "body", selection: whole };
    } else if (isPath(instruction)) {
      const value = valueAt(instruction, time);
      if (value.length === 4 ? contains(value, point) : near(value, DOT + 4))
        return { kind: "body", selection: whole };
    } else if (instruction.kind === "content" && instruction.mask && inMask(instruction.mask, point)) {
      return { kind: "body", selection: whole };
    } else if (instruction.kind === "target" && inMask(instruction.mask, point)) {
      return { kind: "body", selection: whole };
    }
  }
  if (selection && isPath(chosen) && chosen.path.keyframes.length > 1) {
    const trail = trailOf(chosen).map((place) => toScreen(view, place));
    const on = trail.some(
      (to, i) => i > 0 && distanceToSegment(at, trail[i - 1] as Point, to) < LINE * wider,
    );
    if (on) return { kind: "trail", selection: { ...selection, part: null } };
  }
  return null;
}
