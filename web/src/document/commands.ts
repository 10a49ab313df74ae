/** What a person can do to a shot. Every command edits an immer draft. */
import { tidy } from "./geometry";
import { keyframeAt, valueAt } from "./keyframes";
import type { Recorded } from "./recording";
import type {
  Box,
  BoxKeyframe,
  ContentInstruction,
  Easing,
  Instruction,
  PathTrajectory,
  Point,
  PointKeyframe,
  Shot,
  Stroke,
} from "./shot";
import { instructionsOf, isPath } from "./shot";

type AnyKeyframe = BoxKeyframe | PointKeyframe;

/** Adds an instruction; returns its place. */
export function addInstruction(shot: Shot, instruction: Instruction): number {
  shot.instructions ??= [];
  shot.instructions.push(instruction);
  return shot.instructions.length - 1;
}

export function removeInstruction(shot: Shot, index: number): void {
  shot.instructions?.splice(index, 1);
}

/** Moves an instruction to another place in the order: later subjects are in front. */
export function reorderInstruction(shot: Shot, from: number, to: number): void {
  const [moved] = shot.instructions?.splice(from, 1) ?? [];
  if (moved) shot.instructions?.splice(to, 0, moved);
}

export function pathOf(shot: Shot, index: number): PathTrajectory | null {
  const instruction = instructionsOf(shot)[index];
  return isPath(instruction) ? instruction : null;
}

const keyframesOf = (trajectory: PathTrajectory): AnyKeyframe[] => trajectory.path.keyframes as AnyKeyframe[];

function makeKeyframe(trajectory: PathTrajectory, time: number, value: readonly number[]): AnyKeyframe {
  return trajectory.form === "box"
    ? { time: tidy(time), box: [...value] as unknown as Box }
    : { time: tidy(time), point: [...value] as unknown as Point };
}

/**
 * Sets the value at a time: of its frame's keyframe, or of a new one. Returns the keyframe's place.
 *
 * A keyframe that lies between this frame and the next comes to this one, so that the frame shows the value.
 */
export function setValueAt(
  shot: Shot,
  index: number,
  time: number,
  value: readonly number[],
  frames: number,
): number {
  const trajectory = pathOf(shot, index);
  if (!trajectory) return -1;
  const keyframes = keyframesOf(trajectory);
  const at = keyframeAt(keyframes, time, frames);
  if (at < 0) return insertKeyframe(keyframes, makeKeyframe(trajectory, time, value));
  setKeyframe(shot, index, at, time, value);
  return at;
}

/** Sets one keyframe's value, and its time where that lies between the keyframes beside it. */
export function setKeyframe(
  shot: Shot,
  index: number,
  place: number,
  time: number,
  value: readonly number[],
): void {
  const trajectory = pathOf(shot, index);
  const keyframes = trajectory ? keyframesOf(trajectory) : [];
  const keyframe = keyframes[place];
  if (!keyframe) return;
  if ("box" in keyframe) keyframe.box = [...value] as unknown as Box;
  else keyframe.point = [...value] as unknown as Point;
  const [before, after] = [keyframes[place - 1], keyframes[place + 1]];
  const wanted = tidy(time);
  if ((!before || before.time < wanted) && (!after || after.time > wanted)) keyframe.time = wanted;
}

function insertKeyframe(keyframes: AnyKeyframe[], keyframe: AnyKeyframe): number {
  let place = keyframes.findIndex((other) => other.time > keyframe.time);
  if (place < 0) place = keyframes.length;
  keyframes.splice(place, 0, keyframe);
  return place;
}

/** Adds a keyframe where the path passes anyway: nothing moves yet. Returns its place, or the frame's own. */
export function addKeyframe(shot: Shot, index: number, time: number, frames: number): number {
  const trajectory = pathOf(shot, index);
  if (!trajectory) return -1;
  const at = keyframeAt(keyframesOf(trajectory), time, frames);
  return at >= 0 ? at : setValueAt(shot, index, time, valueAt(trajectory, time).map(tidy), frames);
}

/** Moves a keyframe in time, between its neighbours, never onto one. */
export function moveKeyframe(shot: Shot, index: number, place: number, time: number, frames: number): void {
  const trajectory = pathOf(shot, index);
  const keyframe = trajectory && keyframesOf(trajectory)[place];
  if (!trajectory || !keyframe) return;
  const gap = Math.min(1e-3, 0.5 / Math.max(1, frames - 1));
  const before = keyframesOf(trajectory)[place - 1];
  const after = keyframesOf(trajectory)[place + 1];
  const low = before ? before.time + gap : 0;
  const high = after ? after.time - gap : 1;
  keyframe.time = tidy(Math.min(high, Math.max(low, time)));
}

/** Copies a keyframe's value to another time. Returns the copy's place. */
export function copyKeyframe(shot: Shot, index: number, place: number, time: number, frames: number): number {
  const trajectory = pathOf(shot, index);
  const keyframe = trajectory && keyframesOf(trajectory)[place];
  if (!keyframe) return -1;
  return setValueAt(shot, index, time, "box" in keyframe ? keyframe.box : keyframe.point, frames);
}

/**
 * The path as it was when a keyframe was taken up, with a copy of it at another time. On the keyframe itself
 * there is no copy. Returns the place of the copy, or of the keyframe.
 */
export function copyKeyframeOf(
  shot: Shot,
  index: number,
  before: PathTrajectory,
  place: number,
  time: number,
  frames: number,
): number {
  const instructions = instructionsOf(shot);
  if (!pathOf(shot, index)) return -1;
  instructions[index] = before;
  if (keyframeAt(before.path.keyframes, time, frames) === place) return place;
  instructions[index] = structuredClone(before);
  return copyKeyframe(shot, index, place, time, frames);
}

/** Removes a keyframe; with the last one goes the path. */
export function removeKeyframe(shot: Shot, index: number, place: number): void {
  const trajectory = pathOf(shot, index);
  if (!trajectory) return;
  if (trajectory.path.keyframes.length <= 1) removeInstruction(shot, index);
  else trajectory.path.keyframes.splice(place, 1);
}

/** Sets how the path moves on from a keyframe; null: as the path says. */
export function setEasing(shot: Shot, index: number, place: number | null, easing: Easing | null): void {
  const trajectory = pathOf(shot, index);
  if (!trajectory) return;
  if (place === null) trajectory.path.easing = easing ?? "linear";
  else if (trajectory.path.keyframes[place])
    (trajectory.path.keyframes[place] as AnyKeyframe).easing = easing;
}

/** Squeezes or stretches all keyframes of a path into [start, end]. */
export function retime(shot: Shot, index: number, start: number, end: number): void {
  const trajectory = pathOf(shot, index);
  if (!trajectory || trajectory.path.keyframes.length < 2 || end - start < 1e-3) return;
  const keyframes = keyframesOf(trajectory);
  const first = (keyframes[0] as AnyKeyframe).time;
  const length = (keyframes.at(-1) as AnyKeyframe).time - first;
  for (const keyframe of keyframes)
    keyframe.time = tidy(start + ((keyframe.time - first) / length) * (end - start));
}

/** Shifts every keyframe of a path in the frame. */
export function shiftPath(shot: Shot, index: number, move: (value: readonly number[]) => number[]): void {
  const trajectory = pathOf(shot, index);
  for (const keyframe of trajectory ? keyframesOf(trajectory) : []) {
    if ("box" in keyframe) keyframe.box = move(keyframe.box) as unknown as Box;
    else keyframe.point = move(keyframe.point) as unknown as Point;
  }
}

/** Replaces a path's keyframes from the first of the recorded ones on; what was before it stays. */
export function layMotion(shot: Shot, index: number, recorded: readonly Recorded[]): void {
  const trajectory = pathOf(shot, index);
  const from = recorded[0]?.time;
  if (!trajectory || from === undefined) return;
  const kept = keyframesOf(trajectory).filter((keyframe) => keyframe.time < from - 1e-6);
  const laid = recorded.map(({ time, value, easing }) => ({
    ...makeKeyframe(trajectory, time, value),
    ...(easing ? { easing } : {}),
  }));
  (trajectory.path as { keyframes: AnyKeyframe[] }).keyframes = [...kept, ...laid];
}

/** Adds a stroke to the paint at `index`, or to a new one. Returns the paint's place. */
export function addStroke(shot: Shot, index: number | null, stroke: Stroke): number {
  const chosen = index === null ? undefined : instructionsOf(shot)[index];
  if (chosen?.kind === "content") {
    chosen.strokes = [...(chosen.strokes ?? []), stroke];
    return index as number;
  }
  const paint: ContentInstruction = { kind: "content", strokes: [stroke] };
  return addInstruction(shot, paint);
}
