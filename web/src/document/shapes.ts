/** Shapes of clips and pictures: names of aspect ratios, sizes that a model takes, what a frame cuts off. */

export interface Size {
  width: number;
  height: number;
}

/** Aspect ratios that films and screens have. */
export const RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [5, 4],
  [4, 3],
  [3, 2],
  [16, 9],
  [21, 9],
  [4, 5],
  [3, 4],
  [2, 3],
  [9, 16],
];

/** How far a shape may be from a ratio and still bear its name. */
const ALIKE = 0.03;

const apart = (a: number, b: number): number => Math.abs(Math.log(a / b));

/** What a shape is called: `16:9`, `about 16:9`, or its width for a height of 1. */
export function shapeName({ width, height }: Size): string {
  const aspect = width / height;
  const [w, h] = RATIOS.reduce((best, ratio) =>
    apart(aspect, ratio[0] / ratio[1]) < apart(aspect, best[0] / best[1]) ? ratio : best,
  );
  const off = apart(aspect, w / h);
  if (off < 0.002) return `${w}:${h}`;
  return off < ALIKE ? `about ${w}:${h}` : `${Math.round(aspect * 100) / 100}:1`;
}

/**
 * The size of an aspect ratio that a model takes: both sides multiples of `multiple`, about as many pixels as
 * `area` has and at most a quarter more; the shape counts before the number of pixels.
 */
export function sizeOf(aspect: number, area: number, multiple: number): Size {
  let best: Size = { width: multiple, height: multiple };
  let least = Number.POSITIVE_INFINITY;
  const most = Math.ceil((2 * Math.sqrt(area * Math.max(aspect, 1 / aspect))) / multiple);
  for (let columns = 1; columns <= most; columns++) {
    const exact = columns / aspect;
    for (const rows of new Set([Math.floor(exact), Math.ceil(exact)].map((count) => Math.max(1, count)))) {
      const size = { width: columns * multiple, height: rows * multiple };
      const pixels = (size.width * size.height) / area;
      if (pixels > 1.25 && columns > 1) continue;
      const off = 2 * apart(size.width / size.height, aspect) + 0.25 * Math.abs(Math.log(pixels));
      if (off < least) [best, least] = [size, off];
    }
  }
  return best;
}

/** What of a picture a frame cannot hold where the picture covers it. */
export interface Cut {
  /** The part that is cut off, in [0, 1). */
  share: number;
  axis: "x" | "y";
}

/** What nobody would see is not told; the library says nothing of it either. */
const UNSEEN = 0.02;

/** What is cut off of a picture that covers a frame; null where it is nothing to speak of. */
export function cutOf(picture: Size, frame: Size): Cut | null {
  const ratio = picture.width / picture.height / (frame.width / frame.height);
  const share = 1 - Math.min(ratio, 1 / ratio);
  return share > UNSEEN ? { share, axis: ratio > 1 ? "x" : "y" } : null;
}

/** The part of a picture that covers a frame: at `part` of the way it can go, 0.5 is its middle. */
export function coveringPart(picture: Size, frame: Size, part = 0.5): Size & { x: number; y: number } {
  const scale = Math.min(picture.width / frame.width, picture.height / frame.height);
  const [width, height] = [frame.width * scale, frame.height * scale];
  return { x: (picture.width - width) * part, y: (picture.height - height) * part, width, height };
}
