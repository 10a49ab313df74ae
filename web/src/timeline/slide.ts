/** A pointer's way on a line of the timeline, in times of the clip. */
import { copyKeyframeOf, moveKeyframe, pathOf } from "../document/commands";
import { clamp } from "../document/geometry";
import type { PathTrajectory } from "../document/shot";
import { shotNow, useDocument } from "../document/store";

/** How far a press may wander, in pixels, and still be a click. */
const CLICK = 4;

export interface Slide {
  /** Where it began, in pixels. */
  x: number;
  /** All its changes are one step of undo. */
  key: string;
  /** Whether it copies what it took up, from its first move to its end; null before that. */
  copying: boolean | null;
}

export interface Pointed {
  clientX: number;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

export const beginSlide = (x: number, key: string): Slide => ({ x, key, copying: null });

/** How far the pointer has gone, in whole frames unless it goes freely; null while it may still be a click. */
export function slideTo(slide: Slide, pointed: Pointed, width: number, frames: number): number | null {
  const way = pointed.clientX - slide.x;
  if (slide.copying === null && Math.abs(way) < CLICK) return null;
  slide.copying ??= pointed.altKey;
  const grid = Math.max(1, frames - 1);
  const by = way / width;
  return pointed.ctrlKey || pointed.metaKey ? by : Math.round(by * grid) / grid;
}

/** A keyframe as it was when it was taken up. */
export interface Taken {
  path: PathTrajectory;
  index: number;
  place: number;
}

/** The keyframe goes as far as the slide, or its copy does. Returns the time where it is then. */
export function slideKeyframe(
  taken: Taken,
  by: number,
  key: string,
  copying: boolean,
  frames: number,
): number {
  const { path, index, place } = taken;
  const time = clamp((path.path.keyframes[place]?.time ?? 0) + by, 0, 1);
  let part = place;
  useDocument.getState().perform(
    copying ? "Copy a keyframe" : "Move a keyframe in time",
    (shot) => {
      if (copying) part = copyKeyframeOf(shot, index, path, place, time, frames);
      else moveKeyframe(shot, index, place, time, frames);
      return { instruction: index, part };
    },
    key,
  );
  return pathOf(shotNow(), index)?.path.keyframes[part]?.time ?? time;
}
