/** The picture as drags bend it, live: the region is cut out, the hole filled, the region laid down again. */

import { layMask } from "../canvas/brush";
import type { FrameSource } from "../canvas/strips";
import type { DragTrajectory } from "../document/shot";
import { elastic } from "./elastic";

const LARGEST = 256;
/** Reach of a handle that has no region, as a fraction of the frame's shorter side. */
const REACH = 0.16;

function surface(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
}

function regionOf(drag: DragTrajectory, width: number, height: number): Uint8ClampedArray {
  const context = surface(width, height);
  context.fillStyle = "#fff";
  if (drag.region) layMask(context, drag.region, width, height);
  else
    for (const { handle } of drag.moves) {
      context.beginPath();
      context.arc(handle[0] * width, handle[1] * height, REACH * Math.min(width, height), 0, 2 * Math.PI);
      context.fill();
    }
  const alpha = context.getImageData(0, 0, width, height).data.filter((_, i) => i % 4 === 3);
  return drag.region?.invert ? alpha.map((value) => 255 - value) : alpha;
}

/** Fills marked pixels smoothly from around them: averages on ever coarser grids, then back. */
function fill(pixels: Float32Array, weight: Float32Array, width: number, height: number): void {
  if (width <= 1 && height <= 1) return;
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const coarse = new Float32Array(w * h * 3);
  const coarseWeight = new Float32Array(w * h);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const known = weight[y * width + x] as number;
      const at = (y >> 1) * w + (x >> 1);
      coarseWeight[at] = (coarseWeight[at] as number) + known;
      for (let c = 0; c < 3; c++)
        coarse[at * 3 + c] =
          (coarse[at * 3 + c] as number) + known * (pixels[(y * width + x) * 3 + c] as number);
    }
  for (let i = 0; i < w * h; i++) {
    const sum = coarseWeight[i] as number;
    if (sum > 0) for (let c = 0; c < 3; c++) coarse[i * 3 + c] = (coarse[i * 3 + c] as number) / sum;
    coarseWeight[i] = Math.min(1, sum);
  }
  fill(coarse, coarseWeight, w, h);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const known = weight[i] as number;
      if (known >= 1) continue;
      // Between the four coarse cells around the pixel, so that no cell's edge shows.
      const [cx, cy] = [(x - 0.5) / 2, (y - 0.5) / 2];
      const [left, top] = [Math.max(0, Math.floor(cx)), Math.max(0, Math.floor(cy))];
      const [right, bottom] = [Math.min(w - 1, left + 1), Math.min(h - 1, top + 1)];
      const [fx, fy] = [Math.max(0, cx - left), Math.max(0, cy - top)];
      for (let c = 0; c < 3; c++) {
        const at = (column: number, row: number) => coarse[(row * w + column) * 3 + c] as number;
        const above = at(left, top) * (1 - fx) + at(right, top) * fx;
        const below = at(left, bottom) * (1 - fx) + at(right, bottom) * fx;
        pixels[i * 3 + c] =
          known * (pixels[i * 3 + c] as number) + (1 - known) * (above * (1 - fy) + below * fy);
      }
    }
}

/** The frame with its drags carried out, as a canvas of at most 256 pixels a side. */
export function bend(source: FrameSource, drags: readonly DragTrajectory[]): HTMLCanvasElement {
  const scale = Math.min(1, LARGEST / Math.max(source.width, source.height));
  // Latent previews are tiny; the bend is worked out on a finer grid than theirs.
  const finer = Math.max(scale, Math.min(8, 128 / Math.max(source.width, source.height)));
  const [width, height] = [Math.round(source.width * finer), Math.round(source.height * finer)];
  const context = surface(width, height);
  const { image, x, y } = source;
  context.drawImage(image, x, y, source.width, source.height, 0, 0, width, height);
  const original = context.getImageData(0, 0, width, height);
  const regions = drags.map((drag) => regionOf(drag, width, height));
  const plate = new Float32Array(width * height * 3);
  const known = new Float32Array(width * height).fill(1);
  for (let i = 0; i < width * height; i++) {
    for (const region of regions) if (region[i]) known[i] = 0;
    for (let c = 0; c < 3; c++) plate[i * 3 + c] = original.data[i * 4 + c] as number;
  }
  fill(plate, known, width, height);
  const result = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) result.data[i * 4 + c] = plate[i * 3 + c] as number;
    result.data[i * 4 + 3] = 255;
  }
  drags.forEach((drag, k) => {
    const at = ([px, py]: readonly [number, number]) => [px * width - 0.5, py * height - 0.5];
    const map = elastic(
      drag.moves.flatMap((move) => at(move.handle)),
      drag.moves.flatMap((move) => at(move.target)),
    );
    lay(result, original, regions[k] as Uint8ClampedArray, map);
  });
  context.putImageData(result, 0, 0);
  return context.canvas;
}

/** Reads the cut-out region bilinearly at the map's source of every pixel and lays it over the result. */
function lay(
  result: ImageData,
  original: ImageData,
  region: Uint8ClampedArray,
  map: (x: number, y: number) => [number, number],
): void {
  const { width, height } = result;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sx, sy] = map(x, y);
      if (sx <= -1 || sy <= -1 || sx >= width || sy >= height) continue;
      const [column, row] = [Math.floor(sx), Math.floor(sy)];
      const [fx, fy] = [sx - column, sy - row];
      let cover = 0;
      const colour = [0, 0, 0];
      for (const [dx, dy, share] of [
        [0, 0, (1 - fx) * (1 - fy)],
        [1, 0, fx * (1 - fy)],
        [0, 1, (1 - fx) * fy],
        [1, 1, fx * fy],
      ] as const) {
        const [cx, cy] = [column + dx, row + dy];
        if (cx < 0 || cy < 0 || cx >= width || cy >= height) continue;
        const i = cy * width + cx;
        const part = (share * (region[i] as number)) / 255;
        cover += part;
        for (let c = 0; c < 3; c++)
          colour[c] = (colour[c] as number) + part * (original.data[i * 4 + c] as number);
      }
      if (cover <= 0) continue;
      const i = (y * width + x) * 4;
      for (let c = 0; c < 3; c++)
        result.data[i + c] = (colour[c] as number) + (1 - cover) * (result.data[i + c] as number);
    }
}
