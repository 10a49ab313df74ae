/** How an edit mixes with the original it came from: one weight, weights over time, and where the edit acts. */
import { clamp, tidy } from "./geometry";
import {
  type BlendSettings,
  type Instruction,
  instructionsOf,
  isDrag,
  isPath,
  type PathTrajectory,
  type Shot,
  type WeightKeyframe,
} from "./shot";

export const blendOf = (shot: Shot): BlendSettings | null => shot.control?.blend ?? null;

/** Whether a path stays where it is: without words it pins what is there. */
function atRest({ path }: PathTrajectory): boolean {
  const places = path.keyframes.map((keyframe) =>
    ("box" in keyframe ? keyframe.box : keyframe.point).join(" "),
  );
  return new Set(places).size === 1;
}

/** Whether an instruction drags what the picture shows: a drag, or a path that names no words and moves. */
const drags = (instruction: Instruction): boolean =>
  isDrag(instruction) || (isPath(instruction) && instruction.phrase == null && !atRest(instruction));

/** Whether the shot's blend is with a take that it branches from; under a drag it is with the picture before. */
export const mixesWithParent = (shot: Shot): boolean =>
  blendOf(shot) !== null && !instructionsOf(shot).some(drags);

/** The shot as a take from the start can run it: such a take has no original to mix with. */
export const withoutOriginal = (shot: Shot): Shot =>
  mixesWithParent(shot) ? { ...shot, control: { ...shot.control, blend: null } } : shot;

/** Changes the blend of a draft; settings that say nothing are left out. */
export function setBlend(shot: Shot, recipe: (blend: BlendSettings) => void): void {
  shot.control ??= {};
  const blend = { ...(shot.control.blend ?? {}) };
  recipe(blend);
  const says = Object.values(blend).some((value) => value != null);
  shot.control.blend = says ? blend : null;
}

/** The weight at a time: straight between keyframes, and as the nearest one beyond them. */
export function weightAt(keyframes: readonly WeightKeyframe[], time: number): number {
  const next = keyframes.findIndex((keyframe) => keyframe.time >= time);
  if (next < 0) return keyframes.at(-1)?.weight ?? 0;
  const [before, after] = [keyframes[next - 1], keyframes[next] as WeightKeyframe];
  if (!before) return after.weight;
  return before.weight + ((time - before.time) / (after.time - before.time)) * (after.weight - before.weight);
}

/** Puts a weight at a time, in place of one that is as good as there. Returns its place. */
export function putWeight(keyframes: WeightKeyframe[], time: number, weight: number, gap: number): number {
  const there = keyframes.findIndex((keyframe) => Math.abs(keyframe.time - time) < gap);
  const made = { time: tidy(clamp(time, 0, 1)), weight: tidy(clamp(weight, 0, 1)) };
  if (there >= 0) {
    (keyframes[there] as WeightKeyframe).weight = made.weight;
    return there;
  }
  const later = keyframes.findIndex((keyframe) => keyframe.time > made.time);
  const place = later < 0 ? keyframes.length : later;
  keyframes.splice(place, 0, made);
  return place;
}

/** Moves a weight, in time between its neighbours only. */
export function moveWeight(
  keyframes: WeightKeyframe[],
  place: number,
  time: number,
  weight: number,
  gap: number,
): void {
  const keyframe = keyframes[place];
  if (!keyframe) return;
  const low = (keyframes[place - 1]?.time ?? -gap) + gap;
  const high = (keyframes[place + 1]?.time ?? 1 + gap) - gap;
  keyframe.time = tidy(clamp(time, Math.min(low, high), Math.max(low, high)));
  keyframe.weight = tidy(clamp(weight, 0, 1));
}
