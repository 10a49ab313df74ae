/** Strokes as the renderer paints them: circles joined by tapered bands. */
import type { Mask, Point, Stroke } from "../document/shot";

/** The outline of a stroke on a canvas of the given size. */
export function strokePath(stroke: Stroke, width: number, height: number, x = 0, y = 0): Path2D {
  const path = new Path2D();
  const reach = ((stroke.width ?? 0.05) * Math.min(width, height)) / 2;
  const points = stroke.points.map(([px, py]): Point => [x + px * width, y + py * height]);
  const radii = points.map((_, i) => Math.max(0.25, reach * (stroke.pressure?.[i] ?? 1)));
  points.forEach(([px, py], i) => {
    const radius = radii[i] as number;
    path.moveTo(px + radius, py);
    path.arc(px, py, radius, 0, 2 * Math.PI);
    const next = points[i + 1];
    if (!next) return;
    const length = Math.hypot(next[0] - px, next[1] - py);
    if (length === 0) return;
    const [nx, ny] = [-(next[1] - py) / length, (next[0] - px) / length];
    const after = radii[i + 1] as number;
    // Clockwise on the screen, like the arcs, so that the union has no holes.
    path.moveTo(px - nx * radius, py - ny * radius);
    path.lineTo(next[0] - nx * after, next[1] - ny * after);
    path.lineTo(next[0] + nx * after, next[1] + ny * after);
    path.lineTo(px + nx * radius, py + ny * radius);
    path.closePath();
  });
  return path;
}

/** Lays strokes on a canvas; erasing ones bare what is below. */
export function layStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  width: number,
  height: number,
): void {
  for (const stroke of strokes) {
    context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    context.globalAlpha = stroke.opacity ?? 1;
    context.fillStyle = stroke.colour ?? "#000000";
    context.fill(strokePath(stroke, width, height));
  }
  context.globalCompositeOperation = "source-over";
  context.globalAlpha = 1;
}

/** Draws a mask's marked part in one colour; pictures and inversion are left to the caller. */
export function layMask(context: CanvasRenderingContext2D, mask: Mask, width: number, height: number): void {
  if (mask.box) {
    const [x0, y0, x1, y1] = mask.box;
    context.fillRect(x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height);
  }
  if (mask.polygon) context.fill(polygonPath(mask.polygon, width, height));
  const colour = context.fillStyle;
  layStrokes(
    context,
    (mask.strokes ?? []).map((stroke) => ({ ...stroke, colour: String(colour), opacity: 1 })),
    width,
    height,
  );
}

export function polygonPath(corners: readonly Point[], width: number, height: number, x = 0, y = 0): Path2D {
  const path = new Path2D();
  corners.forEach(([px, py], i) => {
    if (i) path.lineTo(x + px * width, y + py * height);
    else path.moveTo(x + px * width, y + py * height);
  });
  path.closePath();
  return path;
}
