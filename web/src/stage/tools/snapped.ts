/** Snapping for gestures: lines of everything else on the frame at this time. */

import { centreOf, valueAt } from "../../document/keyframes";
import { instructionsOf, isPath, type Point } from "../../document/shot";
import { type Lines, linesOf, type Snapped, snap } from "../../document/snapping";
import { sessionNow } from "../../session/session";
import type { Pointer, Workbench } from "./tool";

const REACH = 7;

/** Lines that the selected thing can snap to; its own keyframes count, where it stands now does not. */
export function snappingLines(bench: Workbench, except: number | null): Lines {
  const boxes: number[][] = [];
  const points: Point[] = [];
  instructionsOf(bench.shot).forEach((instruction, index) => {
    if (!isPath(instruction) || index === except) return;
    const value = valueAt(instruction, bench.time);
    if (value.length === 4) boxes.push(value);
    else points.push(centreOf(value));
  });
  return linesOf(boxes, points);
}

const FREE: Snapped = { dx: 0, dy: 0, guides: { x: null, y: null } };

/** The shift that brings the candidates onto lines, and the guides to show. */
export function snapTo(
  bench: Workbench,
  pointer: Pointer,
  lines: Lines,
  xs: readonly number[],
  ys: readonly number[],
): Snapped {
  const reach: Point = [REACH / bench.view.width, REACH / bench.view.height];
  const snapped = sessionNow().snapping && !pointer.free ? snap(xs, ys, lines, reach) : FREE;
  bench.showGuides(snapped.guides);
  return snapped;
}
