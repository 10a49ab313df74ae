/** How the frame lies on the screen: zoom and pan. */
import { clamp } from "../document/geometry";
import type { Point } from "../document/shot";

/** The frame's top left corner and its size, in screen pixels. */
export interface View {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

const MARGIN = 26;

/** The whole frame in the middle of the stage. */
export function wholeFrame(frame: Size, stage: Size): View {
  const room = {
    width: Math.max(40, stage.width - 2 * MARGIN),
    height: Math.max(40, stage.height - 2 * MARGIN),
  };
  const scale = Math.min(room.width / frame.width, room.height / frame.height);
  const [width, height] = [frame.width * scale, frame.height * scale];
  return { x: (stage.width - width) / 2, y: (stage.height - height) / 2, width, height };
}

/** Zooms about a screen point. */
export function zoom(view: View, factor: number, [x, y]: Point): View {
  const grown = clamp(view.width * factor, 48, 20_000) / view.width;
  return {
    x: x - (x - view.x) * grown,
    y: y - (y - view.y) * grown,
    width: view.width * grown,
    height: view.height * grown,
  };
}

export const pan = (view: View, dx: number, dy: number): View => ({
  ...view,
  x: view.x + dx,
  y: view.y + dy,
});

/** Screen to fractions of the frame. */
export const toFrame = (view: View, [x, y]: Point): Point => [
  (x - view.x) / view.width,
  (y - view.y) / view.height,
];

/** Fractions of the frame to screen. */
export const toScreen = (view: View, [x, y]: readonly number[]): Point => [
  view.x + (x as number) * view.width,
  view.y + (y as number) * view.height,
];
