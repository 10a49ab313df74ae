import { describe, expect, it } from "vitest";
import {
  blendOf,
  mixesWithParent,
  moveWeight,
  putWeight,
  setBlend,
  weightAt,
  withoutOriginal,
} from "./blend";
import type { Shot, WeightKeyframe } from "./shot";

const shot = (more: Partial<Shot> = {}): Shot => ({ version: 1, prompt: "a red ball", ...more });

describe("weights over time", () => {
  it("go straight between keyframes and stay beyond them", () => {
    const weights = [
      { time: 0.2, weight: 1 },
      { time: 0.6, weight: 0 },
    ];
    for (const [time, weight] of [
      [0, 1],
      [0.2, 1],
      [0.4, 0.5],
      [0.6, 0],
      [1, 0],
    ] as const)
      expect(weightAt(weights, time)).toBeCloseTo(weight);
  });

  it("stay in order and in [0, 1], whatever is pulled where", () => {
    const weights: WeightKeyframe[] = [];
    for (const [time, weight] of [
      [0.5, 0.5],
      [0, 2],
      [1, -1],
      [0.501, 0.9],
    ] as const)
      putWeight(weights, time, weight, 0.02);
    expect(weights).toEqual([
      { time: 0, weight: 1 },
      { time: 0.5, weight: 0.9 },
      { time: 1, weight: 0 },
    ]);
    moveWeight(weights, 1, 5, 0.3, 0.02);
    expect(weights[1]).toEqual({ time: 0.98, weight: 0.3 });
    moveWeight(weights, 0, 0.99, 1, 0.02);
    expect(weights[0]?.time).toBeLessThan(weights[1]?.time as number);
  });
});

describe("a blend", () => {
  it("that says nothing is none", () => {
    const draft = shot();
    setBlend(draft, (blend) => {
      blend.weight = 0.4;
    });
    expect(blendOf(draft)).toEqual({ weight: 0.4 });
    setBlend(draft, (blend) => {
      blend.weight = null;
    });
    expect(blendOf(draft)).toBeNull();
  });

  it("is left out of a take from the start, unless the shot drags something", () => {
    const blended = shot({ control: { blend: { weight: 0.4 } } });
    expect(mixesWithParent(blended)).toBe(true);
    expect(blendOf(withoutOriginal(blended))).toBeNull();
    const dragging = shot({
      control: { blend: { weight: 0.4 } },
      instructions: [{ kind: "trajectory", form: "drag", moves: [{ handle: [0, 0], target: [1, 1] }] }],
    });
    expect(withoutOriginal(dragging)).toBe(dragging);
  });

  it("is with the parent where the shot only pins: a path without words that rests drags nothing", () => {
    const points = (...places: [number, number][]) =>
      mixesWithParent(
        shot({
          control: { blend: { weight: 0.4 } },
          instructions: [
            {
              kind: "trajectory",
              form: "point",
              path: { keyframes: places.map((point, time) => ({ time, point })) },
            },
          ],
        }),
      );
    expect(points([0.5, 0.5])).toBe(true);
    expect(points([0.5, 0.5], [0.5, 0.5])).toBe(true);
    expect(points([0.5, 0.5], [0.5, 0.6])).toBe(false);
    const box = (phrase: string | null, ...boxes: [number, number, number, number][]) =>
      mixesWithParent(
        shot({
          control: { blend: { weight: 0.4 } },
          instructions: [
            {
              kind: "trajectory",
              form: "box",
              phrase,
              path: { keyframes: boxes.map((place, time) => ({ time, box: place })) },
            },
          ],
        }),
      );
    expect(box(null, [0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5])).toBe(true);
    expect(box(null, [0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5])).toBe(false);
    expect(box("red ball", [0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5])).toBe(true);
  });
});
