/** Values between keyframes; the same curves as the renderer's (rehearse.shot.easing). */
import type { Box, Easing, PathTrajectory, Point } from "./shot";

export interface Keyframe {
  time: number;
  easing?: Easing | null;
}

export function ease(easing: Easing, progress: number): number {
  switch (easing) {
    case "ease-in":
      return progress * progress;
    case "ease-out":
      return 1 - (1 - progress) ** 2;
    case "ease-in-out":
      return progress * progress * (3 - 2 * progress);
    case "hold":
      return progress < 1 ? 0 : 1;
    default:
      return progress;
  }
}

/** The gap of increasing `keyframes` that `time` lies in, and the eased progress through it. */
function place(keyframes: readonly Keyframe[], easing: Easing, time: number): [number, number] {
  let gap = 0;
  while (gap < keyframes.length - 2 && (keyframes[gap + 1] as Keyframe).time <= time) gap++;
  const [before, after] = [keyframes[gap] as Keyframe, keyframes[gap + 1] as Keyframe];
  const progress = Math.min(1, Math.max(0, (time - before.time) / (after.time - before.time)));
  return [gap, ease(before.easing ?? easing, progress)];
}

function sample(
  keyframes: readonly Keyframe[],
  values: (i: number) => readonly number[],
  easing: Easing,
  time: number,
): number[] {
  if (keyframes.length === 1) return [...values(0)];
  const [gap, share] = place(keyframes, easing, time);
  const [start, end] = [values(gap), values(gap + 1)];
  return start.map((value, axis) => (1 - share) * value + share * (end[axis] as number));
}

/** The box of a box path, or the point of a point path, at a time of the clip. */
export function valueAt(trajectory: PathTrajectory, time: number): number[] {
  const easing = trajectory.path.easing ?? "linear";
  if (trajectory.form === "box") {
    const { keyframes } = trajectory.path;
    return sample(keyframes, (i) => (keyframes[i] as { box: Box }).box, easing, time);
  }
  const { keyframes } = trajectory.path;
  return sample(keyframes, (i) => (keyframes[i] as { point: Point }).point, easing, time);
}

export const centreOf = (value: readonly number[]): Point =>
  value.length === 4
    ? [((value[0] as number) + (value[2] as number)) / 2, ((value[1] as number) + (value[3] as number)) / 2]
    : [value[0] as number, value[1] as number];

/** The time of frame `frame` of `frames`: the first at 0, the last at 1. */
export const timeOf = (frame: number, frames: number): number => (frames > 1 ? frame / (frames - 1) : 0);

export const frameOf = (time: number, frames: number): number => Math.round(time * Math.max(0, frames - 1));

/** The keyframe of the frame at `time`: of those that are nearest to this frame the nearest; -1: it has none. */
export function keyframeAt(keyframes: readonly Keyframe[], time: number, frames: number): number {
  const frame = frameOf(time, frames);
  let found = -1;
  let nearest = Number.POSITIVE_INFINITY;
  keyframes.forEach((keyframe, i) => {
    if (frameOf(keyframe.time, frames) !== frame) return;
    const distance = Math.abs(keyframe.time - time);
    if (distance < nearest) [found, nearest] = [i, distance];
  });
  return found;
}
