/**
 * The elastic map of a drag, as rehearse.pictures.elastic defines it: backwards, from a place of the result to
 * where it reads in the original. Handles p go exactly onto targets q; between them the map is as rigid as can be.
 * Positions are in pixels, flat arrays [x0, y0, x1, y1, ...].
 */

const MOST_PIECES = 24;
const PIECES_PER_STRETCH = 3;

export type Elastic = (x: number, y: number) => [number, number];

/** The number of small rigid steps between a and b, so that no two handles pass too fast. */
function pieces(a: Float64Array, b: Float64Array): number {
  let rate = 0;
  for (let i = 0; i < a.length; i += 2)
    for (let j = i + 2; j < a.length; j += 2) {
      const bx = (a[i] as number) - (a[j] as number);
      const by = (a[i + 1] as number) - (a[j + 1] as number);
      const cx = (b[i] as number) - (b[j] as number) - bx;
      const cy = (b[i + 1] as number) - (b[j + 1] as number) - by;
      const length = cx * cx + cy * cy;
      const nearest = Math.min(1, Math.max(0, -(cx * bx + cy * by) / Math.max(length, 1e-12)));
      const shortest = Math.hypot(bx + nearest * cx, by + nearest * cy);
      rate = Math.max(rate, Math.sqrt(length) / Math.max(shortest, 1e-6));
    }
  return Math.min(MOST_PIECES, Math.max(1, Math.ceil(PIECES_PER_STRETCH * rate)));
}

function centred(points: readonly number[]): { centre: [number, number]; rest: Float64Array } {
  let [x, y] = [0, 0];
  for (let i = 0; i < points.length; i += 2) {
    x += points[i] as number;
    y += points[i + 1] as number;
  }
  const count = points.length / 2;
  const centre: [number, number] = [x / count, y / count];
  return { centre, rest: Float64Array.from(points, (value, i) => value - (centre[i % 2] as number)) };
}

/** The map for handles and targets of equal length. */
export function elastic(handles: readonly number[], targets: readonly number[]): Elastic {
  const { centre: start, rest: a } = centred(handles);
  const { centre: end, rest: turned } = centred(targets);
  if (handles.length <= 2) return (x, y) => [x + start[0] - end[0], y + start[1] - end[1]];
  // The common rotation first: t = arg sum conj(a) (q - Q).
  let [re, im] = [0, 0];
  for (let i = 0; i < a.length; i += 2) {
    const [ax, ay, qx, qy] = [a[i], a[i + 1], turned[i], turned[i + 1]] as [number, number, number, number];
    re += ax * qx + ay * qy;
    im += ax * qy - ay * qx;
  }
  const size = Math.hypot(re, im);
  const [cos, sin] = size > 1e-9 ? [re / size, im / size] : [1, 0];
  const b = new Float64Array(a.length);
  for (let i = 0; i < a.length; i += 2) {
    b[i] = cos * (turned[i] as number) + sin * (turned[i + 1] as number);
    b[i + 1] = cos * (turned[i + 1] as number) - sin * (turned[i] as number);
  }
  const count = pieces(a, b);
  const way = Array.from({ length: count + 1 }, (_, k) =>
    a.map((value, i) => value + ((b[i] as number) - value) * (1 - k / count)),
  );
  return (x, y) => {
    let ux = cos * (x - end[0]) + sin * (y - end[1]);
    let uy = cos * (y - end[1]) - sin * (x - end[0]);
    for (let k = 0; k < count; k++)
      [ux, uy] = rigidStep(ux, uy, way[k] as Float64Array, way[k + 1] as Float64Array);
    return [start[0] + ux, start[1] + uy];
  };
}

/** One step of rigid moving least squares, from c to d. */
function rigidStep(x: number, y: number, c: Float64Array, d: Float64Array): [number, number] {
  let [total, cx, cy, dx, dy, mx, my] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < c.length; i += 2) {
    const [px, py, qx, qy] = [c[i], c[i + 1], d[i], d[i + 1]] as [number, number, number, number];
    const weight = 1 / ((x - px) ** 2 + (y - py) ** 2 + 1e-6);
    total += weight;
    cx += weight * px;
    cy += weight * py;
    dx += weight * qx;
    dy += weight * qy;
    mx += weight * (px * qx + py * qy);
    my += weight * (px * qy - py * qx);
  }
  [cx, cy, dx, dy] = [cx / total, cy / total, dx / total, dy / total];
  mx = mx / total - (cx * dx + cy * dy);
  my = my / total - (cx * dy - cy * dx);
  const size = Math.hypot(mx, my);
  const [tx, ty] = size < 1e-12 ? [1, 0] : [mx / size, my / size];
  return [dx + tx * (x - cx) - ty * (y - cy), dy + tx * (y - cy) + ty * (x - cx)];
}
