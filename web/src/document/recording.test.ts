import { describe, expect, it } from "vitest";
import { timeOf, valueAt } from "./keyframes";
import { numbers } from "./numbers.testing";
import {
  beginOf,
  CLOSENESS,
  evenly,
  type Recorded,
  recordedMotion,
  resample,
  type Sample,
} from "./recording";
import type { Box, BoxTrajectory } from "./shot";

/** What a hand does in two seconds at 120 reports a second, with a tremor of half a pixel. */
function hand(way: (share: number) => [number, number], seed: number, tremor = 0.001): Sample[] {
  const random = numbers(seed);
  return Array.from({ length: 241 }, (_, i) => {
    const [x, y] = way(i / 240).map((at) => at + (random() - 0.5) * 2 * tremor) as [number, number];
    return { value: [x - 0.1, y - 0.1, x + 0.1, y + 0.1], when: (i * 1000) / 120 };
  });
}

/** Slow, fast, slow, as hands move. */
const settle = (share: number) => share * share * share * (10 - 15 * share + 6 * share * share);

const WAYS: Record<string, (share: number) => [number, number]> = {
  "straight across": (t) => [0.2 + 0.6 * settle(t), 0.5],
  "an arc": (t) => [0.2 + 0.6 * settle(t), 0.7 - 0.4 * Math.sin(Math.PI * settle(t))],
  "a throw": (t) => [0.15 + 0.7 * t, 0.8 - 2 * t * (1 - t)],
  "an S": (t) => [0.2 + 0.6 * settle(t), 0.5 + 0.15 * Math.sin(2 * Math.PI * settle(t))],
  "there and back": (t) => [0.3 + 0.4 * (t < 0.5 ? settle(2 * t) : settle(2 - 2 * t)), 0.5],
  "a rest, then a start": (t) => [0.2 + 0.6 * settle(Math.max(0, 2 * t - 1)), 0.4],
};

const trajectory = (recorded: readonly Recorded[]): BoxTrajectory => ({
  kind: "trajectory",
  form: "box",
  path: {
    easing: "linear",
    leaves_frame: true,
    keyframes: recorded.map(({ value, ...rest }) => ({ ...rest, box: value as Box })),
  },
});

/** The farthest that a path is from the hand at the clip's frames. */
function farthest(samples: Sample[], recorded: Recorded[], begin: number, frames: number): number {
  const path = trajectory(recorded);
  const wanted = resample(samples, frames - begin);
  return Math.max(
    ...wanted.map((value, i) => {
      const shown = valueAt(path, timeOf(begin + i, frames));
      const off = shown.map((edge, axis) => edge - (value[axis] as number));
      return Math.max(
        Math.hypot(off[0] as number, off[1] as number),
        Math.hypot(off[2] as number, off[3] as number),
      );
    }),
  );
}

describe("a recorded motion", () => {
  it.each(Object.entries(WAYS))(
    "of two seconds, %s, is at most eight keyframes within the bound",
    (_, way) => {
      for (const frames of [16, 17, 24, 49])
        for (const seed of [1, 2, 3]) {
          const samples = hand(way, seed);
          const recorded = recordedMotion(samples, 0, frames);
          expect(recorded.length).toBeLessThanOrEqual(8);
          expect(farthest(samples, recorded, 0, frames)).toBeLessThanOrEqual(CLOSENESS + 0.0005);
        }
    },
  );

  it("keeps within the bound whatever the hand does, on whole frames, in order, to the end", () => {
    const random = numbers(11);
    for (let round = 0; round < 60; round++) {
      const [frames, waves] = [2 + Math.floor(random() * 60), 1 + random() * 6];
      const begin = Math.floor(random() * (frames - 1));
      const [a, b] = [random() * 0.4, random() * 0.4];
      const samples = hand(
        (t) => [0.5 + a * Math.sin(waves * 6 * t), 0.5 + b * Math.cos(waves * 4 * t * t)],
        round,
        0.004,
      );
      const recorded = recordedMotion(samples, begin, frames);
      expect(farthest(samples, recorded, begin, frames)).toBeLessThanOrEqual(CLOSENESS + 0.001);
      const at = recorded.map(({ time }) => time * (frames - 1));
      for (const frame of at) expect(Math.abs(frame - Math.round(frame))).toBeLessThan(0.01);
      expect(at[0]).toBeCloseTo(begin, 2);
      expect(at.at(-1)).toBeCloseTo(frames - 1, 2);
      for (let i = 1; i < at.length; i++) expect(at[i]).toBeGreaterThan(at[i - 1] as number);
    }
  });

  it("keeps the hand's pace: where it rested, the path rests", () => {
    const samples = hand(WAYS["a rest, then a start"] as (share: number) => [number, number], 5, 0);
    const path = trajectory(recordedMotion(samples, 0, 16));
    const left = (frame: number) => valueAt(path, timeOf(frame, 16))[0] as number;
    expect(Math.abs(left(0) - 0.1)).toBeLessThanOrEqual(CLOSENESS);
    expect(Math.abs(left(6) - 0.1)).toBeLessThanOrEqual(CLOSENESS);
    expect(Math.abs(left(15) - 0.7)).toBeLessThanOrEqual(CLOSENESS);
  });

  it("stays in the frame where the hand did", () => {
    const samples = hand((t) => [0.1 + 0.8 * Math.abs(Math.sin(5 * t)), 0.1], 1, 0);
    for (const { value } of recordedMotion(samples, 0, 30))
      for (const edge of value) expect(edge >= 0 && edge <= 1).toBe(true);
  });

  it("of a long clip looks at steps, and still ends with the hand", () => {
    const recorded = recordedMotion(hand(WAYS["an arc"] as (share: number) => [number, number], 1), 0, 1000);
    expect(recorded.length).toBeLessThanOrEqual(8);
    expect(recorded.at(-1)?.time).toBe(1);
  });

  it("of one sample, or in a clip of one frame, is one keyframe", () => {
    expect(recordedMotion([{ value: [0.2, 0.2], when: 5 }], 0, 1)).toEqual([{ time: 0, value: [0.2, 0.2] }]);
    expect(recordedMotion([], 0, 16)).toEqual([]);
  });
});

it("a way drawn evenly takes as long as it is far", () => {
  const samples = evenly([
    [0, 0],
    [0.3, 0.4],
    [0.3, 0.9],
  ]);
  expect(samples.map(({ when }) => when)).toEqual([0, 0.5, 1]);
});

it("a recording on the last frame takes the whole clip", () => {
  expect(beginOf(timeOf(5, 16), 16)).toBe(5);
  expect(beginOf(1, 16)).toBe(0);
  expect(beginOf(0, 1)).toBe(0);
});
