/** A motion that a hand made, as few keyframes: in space and in time never farther from it than a bound. */
import { clamp, tidy } from "./geometry";
import { centreOf, ease, frameOf, timeOf } from "./keyframes";
import type { Easing } from "./shot";

/** How far a recorded motion may be from the hand's at any frame, as a fraction of the frame's sides. */
export const CLOSENESS = 0.01;

/** What a keyframe is made of; without an easing it goes on as its path does. */
export interface Recorded {
  time: number;
  value: number[];
  easing?: Easing;
}

/** Where something was, and when, in any unit that increases. */
export interface Sample {
  value: readonly number[];
  when: number;
}

/** Straight first: another pace has to be worth it. */
const PACES: readonly Easing[] = ["linear", "ease-in-out", "ease-in", "ease-out"];

const between = (a: readonly number[], b: readonly number[], share: number): number[] =>
  a.map((value, axis) => (1 - share) * value + share * (b[axis] as number));

/** The farthest that any corner is away. */
function apart(a: readonly number[], b: readonly number[]): number {
  let most = 0;
  for (let i = 0; i < a.length; i += 2)
    most = Math.max(
      most,
      Math.hypot((a[i] as number) - (b[i] as number), (a[i + 1] as number) - (b[i + 1] as number)),
    );
  return most;
}

/** The values at evenly spaced moments from the first sample to the last. */
export function resample(samples: readonly Sample[], count: number): number[][] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return [];
  let next = 0;
  return Array.from({ length: count }, (_, i) => {
    const when = count > 1 ? first.when + (i / (count - 1)) * (last.when - first.when) : last.when;
    while (next < samples.length - 1 && (samples[next] as Sample).when < when) next++;
    const [a, b] = [samples[Math.max(0, next - 1)] as Sample, samples[next] as Sample];
    const gap = b.when - a.when;
    return between(a.value, b.value, gap > 0 ? Math.min(1, (when - a.when) / gap) : 1);
  });
}

interface Way {
  from: number;
  to: number;
  pace: Easing;
}

const shareOf = ({ from, to, pace }: Way, place: number): number => ease(pace, (place - from) / (to - from));

/** How far straight ways at each pace, from one value to another, are from all between: the best of them. */
function straightest(values: readonly number[][], from: number, to: number): { off: number; pace: Easing } {
  const [start, end] = [values[from] as number[], values[to] as number[]];
  let best: { off: number; pace: Easing } = { off: Number.POSITIVE_INFINITY, pace: "linear" };
  for (const pace of PACES) {
    let off = 0;
    for (let i = from + 1; i < to && off < best.off; i++)
      off = Math.max(
        off,
        apart(between(start, end, ease(pace, (i - from) / (to - from))), values[i] as number[]),
      );
    // Another pace has to be worth it.
    if (off < best.off * (pace === "linear" ? 1 : 0.9)) best = { off, pace };
  }
  return best;
}

/** For every number of ways, 1 and up: those that keep the farthest value nearest (dynamic programming). */
function* divisions(values: readonly number[][]): Generator<{ ways: Way[]; off: number }> {
  const last = values.length - 1;
  const costs = values.map((_, from) =>
    values.map((__, to) => (to > from ? straightest(values, from, to) : null)),
  );
  const cost = (from: number, to: number) => costs[from]?.[to] as { off: number; pace: Easing };
  let least = values.map((_, to) => (to ? cost(0, to).off : 0));
  const before: number[][] = [values.map(() => 0)];
  for (let count = 1; count <= last; count++) {
    if (count > 1) {
      const origin = values.map(() => count - 1);
      const next = values.map((_, to) => {
        let best = Number.POSITIVE_INFINITY;
        for (let from = count - 1; from < to; from++) {
          const off = Math.max(least[from] as number, cost(from, to).off);
          if (off < best) [best, origin[to]] = [off, from];
        }
        return best;
      });
      before.push(origin);
      least = next;
    }
    const ways: Way[] = [];
    for (let to = last, k = count - 1; k >= 0; k--) {
      const from = (before[k] as number[])[to] as number;
      ways.unshift({ from, to, pace: cost(from, to).pace });
      to = from;
    }
    yield { ways, off: least[last] as number };
  }
}

/**
 * Values where the ways meet, so that all values lie as near as can be by weighted least squares. One axis; the normal equations join neighbours alone and are solved in one pass each way.
 */
function settled(ways: readonly Way[], values: readonly number[], weights: readonly number[]): number[] {
  const count = ways.length + 1;
  const [diagonal, beside, right] = [0, 0, 0].map(() => new Array<number>(count).fill(0)) as [
    number[],
    number[],
    number[],
  ];
  ways.forEach((way, k) => {
    // The place where two ways meet counts with the first of them.
    for (let place = k ? way.from + 1 : way.from; place <= way.to; place++) {
      const share = shareOf(way, place);
      const [value, weight] = [values[place] as number, weights[place] as number];
      const [near, far] = [weight * (1 - share), weight * share];
      diagonal[k] = (diagonal[k] as number) + near * (1 - share);
      diagonal[k + 1] = (diagonal[k + 1] as number) + far * share;
      beside[k] = (beside[k] as number) + near * share;
      right[k] = (right[k] as number) + near * value;
      right[k + 1] = (right[k + 1] as number) + far * value;
    }
  });
  for (let k = 1; k < count; k++) {
    const factor = (beside[k - 1] as number) / (diagonal[k - 1] as number);
    diagonal[k] = (diagonal[k] as number) - factor * (beside[k - 1] as number);
    right[k] = (right[k] as number) - factor * (right[k - 1] as number);
  }
  const solved = new Array<number>(count).fill(0);
  for (let k = count - 1; k >= 0; k--)
    solved[k] =
      ((right[k] as number) - (k < count - 1 ? (beside[k] as number) * (solved[k + 1] as number) : 0)) /
      (diagonal[k] as number);
  return solved;
}

/** How far the values are from ways between the given joints, each. */
function offsets(ways: readonly Way[], joints: readonly number[][], values: readonly number[][]): number[] {
  const off = values.map(() => 0);
  ways.forEach((way, k) => {
    for (let place = way.from; place <= way.to; place++) {
      const shown = between(joints[k] as number[], joints[k + 1] as number[], shareOf(way, place));
      off[place] = apart(shown, values[place] as number[]);
    }
  });
  return off;
}

/** Rounds in which what lies farthest weighs more each time (Lawson): from least squares to the least worst. */
const ROUNDS = 12;

/** Joints by which all values are within the bound; null where none were found. */
function jointsWithin(ways: readonly Way[], values: readonly number[][], bound: number): number[][] | null {
  let weights = values.map(() => 1);
  // What stays in the frame does so as keyframes too.
  const inside = values.every((value) => value.every((edge) => edge >= 0 && edge <= 1));
  for (let round = 0; round < ROUNDS; round++) {
    const axes = (values[0] as number[]).map((_, axis) =>
      settled(
        ways,
        values.map((value) => value[axis] as number),
        weights,
      ),
    );
    const joints = Array.from({ length: ways.length + 1 }, (_, k) =>
      axes.map((axis) => tidy(inside ? clamp(axis[k] as number, 0, 1) : (axis[k] as number))),
    );
    const off = offsets(ways, joints, values);
    const most = Math.max(...off);
    if (most <= bound) return joints;
    // Nothing is forgotten altogether: a joint with no weight beside it could lie anywhere.
    weights = weights.map((weight, i) => weight * ((off[i] as number) / most) + 1e-4);
  }
  return null;
}

interface Kept {
  place: number;
  value: number[];
  /** How it goes on; null at the end. */
  pace: Easing | null;
}

/**
 * Few keyframes by which all the values are within the bound. They may lie beside the hand's way themselves, where
 * fewer of them then do.
 */
export function simplifyMotion(values: readonly number[][], bound: number): Kept[] {
  const laid = (ways: readonly Way[], joints: readonly number[][]): Kept[] =>
    joints.map((value, k) => ({
      place: ways[k]?.from ?? values.length - 1,
      value,
      pace: ways[k]?.pace ?? null,
    }));
  if (values.length < 2) return laid([], values);
  for (const { ways, off } of divisions(values)) {
    const plain = [values[0] as number[], ...ways.map(({ to }) => values[to] as number[])];
    // A joint beside the way halves what a way can be off at most.
    const joints = off <= bound ? plain : off <= 3 * bound ? jointsWithin(ways, values, bound) : null;
    if (joints) return laid(ways, joints);
  }
  return laid([], values);
}

/** More frames than these are looked at by steps. */
const MOST = 120;

/**
 * The keyframes of a motion that takes the clip from frame `begin` to its last, in the hand's own pace.
 *
 * They lie on frames, and at every frame the path is within `CLOSENESS` of where the hand was (rounding apart).
 */
export function recordedMotion(
  samples: readonly Sample[],
  begin: number,
  frames: number,
  bound = CLOSENESS,
): Recorded[] {
  const length = Math.max(0, frames - 1 - begin);
  const stride = Math.ceil((length + 1) / MOST);
  const steps = Math.floor(length / stride);
  const values = resample(samples, steps + 1).map((value) => value.map(tidy));
  return simplifyMotion(values, bound).map(({ place, value, pace }) => {
    const frame = place === steps ? frames - 1 : begin + place * stride;
    return {
      time: tidy(timeOf(frame, frames)),
      value,
      ...(pace ? { easing: pace } : {}),
    };
  });
}

/** Samples as if the way had been drawn at an even speed. */
export function evenly(values: readonly (readonly number[])[]): Sample[] {
  let when = 0;
  let before: readonly number[] | null = null;
  return values.map((value) => {
    if (before) {
      const [a, b] = [centreOf(before), centreOf(value)];
      when += Math.hypot(b[0] - a[0], b[1] - a[1]);
    }
    before = value;
    return { value, when };
  });
}

/** The frame a recording begins at: where one stands, and the first where nothing would be left to fill. */
export const beginOf = (time: number, frames: number): number => {
  const frame = frameOf(time, frames);
  return frame >= frames - 1 ? 0 : frame;
};
