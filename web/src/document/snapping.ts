/** Snapping of a moving box or point to lines of the frame and of other things on it. */
import type { Box, Point } from "./shot";

export interface Lines {
  x: number[];
  y: number[];
}

export interface Guides {
  x: number | null;
  y: number | null;
}

export interface Snapped {
  dx: number;
  dy: number;
  guides: Guides;
}

const FRAME = [0, 1 / 3, 0.5, 2 / 3, 1];

/** Edges, thirds and middle of the frame, edges and middles of other boxes, and other points. */
export function linesOf(boxes: readonly (readonly number[])[], points: readonly Point[]): Lines {
  const lines: Lines = { x: [...FRAME], y: [...FRAME] };
  for (const [x0, y0, x1, y1] of boxes as Box[]) {
    lines.x.push(x0, (x0 + x1) / 2, x1);
    lines.y.push(y0, (y0 + y1) / 2, y1);
  }
  for (const [x, y] of points) {
    lines.x.push(x);
    lines.y.push(y);
  }
  return lines;
}

function nearest(
  candidates: readonly number[],
  lines: readonly number[],
  reach: number,
): [number, number | null] {
  let [shift, guide]: [number, number | null] = [0, null];
  let least = reach;
  for (const value of candidates)
    for (const line of lines) {
      const gap = Math.abs(line - value);
      if (gap < least) [least, shift, guide] = [gap, line - value, line];
    }
  return [shift, guide];
}

/** How far to shift so that one of the x and one of the y candidates meets a line within reach. */
export function snap(xs: readonly number[], ys: readonly number[], lines: Lines, reach: Point): Snapped {
  const [dx, x] = nearest(xs, lines.x, reach[0]);
  const [dy, y] = nearest(ys, lines.y, reach[1]);
  return { dx, dy, guides: { x, y } };
}
