/** Plane geometry on fractions of the frame. */
import type { Box, Point } from "./shot";

export const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value));

/** Rounded to what a person could have meant; keeps documents short. */
export const tidy = (value: number): number => Math.round(value * 1e4) / 1e4;
export const tidyPoint = ([x, y]: Point): Point => [tidy(x), tidy(y)];
export const tidyBox = ([a, b, c, d]: Box): Box => [tidy(a), tidy(b), tidy(c), tidy(d)];

const LEAST = 0.02;

/** The box between two corners, in order and never without area; inside the frame unless it may leave. */
export function boxBetween(a: Point, b: Point, leavesFrame = false): Box {
  const box: Box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  for (const axis of [0, 1] as const) {
    const low = leavesFrame ? -4 : 0;
    const high = leavesFrame ? 5 : 1;
    box[axis] = clamp(box[axis], low, high - LEAST);
    box[axis + 2] = clamp(
      Math.max(box[axis + 2] as number, (box[axis] as number) + LEAST),
      low + LEAST,
      high,
    );
  }
  return tidyBox(box);
}

/** The box shifted; stopped whole at the frame's edge unless it may leave. */
export function moveBox(box: Box, dx: number, dy: number, leavesFrame = false): Box {
  const shift = [dx, dy].map((delta, axis) =>
    leavesFrame
      ? clamp(delta, -4 - (box[axis] as number), 5 - (box[axis + 2] as number))
      : clamp(delta, -(box[axis] as number), 1 - (box[axis + 2] as number)),
  );
  return tidyBox([
    box[0] + (shift[0] as number),
    box[1] + (shift[1] as number),
    box[2] + (shift[0] as number),
    box[3] + (shift[1] as number),
  ]);
}

export const clampPoint = ([x, y]: Point, leavesFrame = false): Point =>
  leavesFrame ? tidyPoint([clamp(x, -4, 5), clamp(y, -4, 5)]) : tidyPoint([clamp(x, 0, 1), clamp(y, 0, 1)]);

export const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

export const contains = (box: readonly number[], [x, y]: Point): boolean =>
  x >= (box[0] as number) && x <= (box[2] as number) && y >= (box[1] as number) && y <= (box[3] as number);

/** Whether a point lies in a polygon, by the even-odd rule. */
export function inPolygon(corners: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [ax, ay] = corners[i] as Point;
    const [bx, by] = corners[j] as Point;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** Distance of a point from the segment ab. */
export function distanceToSegment(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const t = length ? clamp(((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length, 0, 1) : 0;
  return distance(p, [a[0] + t * dx, a[1] + t * dy]);
}

/** Indices of the points of a drawn line that keep its form within `tolerance` (Ramer, Douglas, Peucker). */
export function simplify(points: readonly Point[], tolerance: number): number[] {
  if (points.length < 3) return points.map((_, i) => i);
  const kept = new Set([0, points.length - 1]);
  const spans: [number, number][] = [[0, points.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [first, last] = span;
    let [worst, farthest] = [tolerance, -1];
    for (let i = first + 1; i < last; i++) {
      const off = distanceToSegment(points[i] as Point, points[first] as Point, points[last] as Point);
      if (off > worst) [worst, farthest] = [off, i];
    }
    if (farthest < 0) continue;
    kept.add(farthest);
    spans.push([first, farthest], [farthest, last]);
  }
  return [...kept].sort((a, b) => a - b);
}
