import { describe, expect, it } from "vitest";
import { boxBetween, inPolygon, moveBox, simplify } from "./geometry";
import { ease, frameOf, keyframeAt, timeOf, valueAt } from "./keyframes";
import { fingerprint } from "./same";
import { EASINGS, EXAMPLE, type Point, type PointTrajectory } from "./shot";
import { linesOf, snap } from "./snapping";

describe("boxes", () => {
  it("are in order, inside and never without area, whichever way they are drawn", () => {
    for (const [a, b] of [
      [
        [0.2, 0.7],
        [0.6, 0.3],
      ],
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      [
        [-2, -2],
        [3, 3],
      ],
      [
        [1, 1],
        [1.2, 1.2],
      ],
    ] as [Point, Point][]) {
      const [x0, y0, x1, y1] = boxBetween(a, b);
      expect(x1 - x0).toBeGreaterThanOrEqual(0.0199);
      expect(y1 - y0).toBeGreaterThanOrEqual(0.0199);
      for (const edge of [x0, y0, x1, y1]) {
        expect(edge).toBeGreaterThanOrEqual(0);
        expect(edge).toBeLessThanOrEqual(1);
      }
    }
  });

  it("stop whole at the frame's edge unless they may leave", () => {
    expect(moveBox([0.1, 0.1, 0.3, 0.3], -0.5, 0.1)).toEqual([0, 0.2, 0.2, 0.4]);
    expect(moveBox([0.1, 0.1, 0.3, 0.3], -0.5, 0, true)).toEqual([-0.4, 0.1, -0.2, 0.3]);
  });
});

describe("a drawn line", () => {
  it("keeps its corners and drops what lies straight between", () => {
    const points: Point[] = [];
    for (let i = 0; i <= 20; i++) points.push([i / 40, 0]);
    for (let i = 1; i <= 20; i++) points.push([0.5, i / 40]);
    expect(simplify(points, 0.01)).toEqual([0, 20, 40]);
  });
});

it("a polygon holds what is inside it", () => {
  const corners: Point[] = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0.5, 0.2],
    [0, 1],
  ];
  expect(inPolygon(corners, [0.1, 0.5])).toBe(true);
  expect(inPolygon(corners, [0.5, 0.6])).toBe(false);
});

describe("time", () => {
  it("frames and times are each other's inverse", () => {
    for (const frames of [1, 2, 16, 49])
      for (let f = 0; f < frames; f++) expect(frameOf(timeOf(f, frames), frames)).toBe(f);
  });

  it("every easing starts at 0, ends at 1 and never turns back", () => {
    for (const easing of EASINGS) {
      expect(ease(easing, 0)).toBe(0);
      expect(ease(easing, 1)).toBe(1);
      for (let i = 1; i <= 50; i++)
        expect(ease(easing, i / 50)).toBeGreaterThanOrEqual(ease(easing, (i - 1) / 50));
    }
  });

  it("a path stands still before its first and after its last keyframe", () => {
    const path: PointTrajectory = {
      kind: "trajectory",
      form: "point",
      path: {
        keyframes: [
          { time: 0.25, point: [0.2, 0.4] },
          { time: 0.75, point: [0.6, 0.4] },
        ],
      },
    };
    expect(valueAt(path, 0)).toEqual([0.2, 0.4]);
    expect(valueAt(path, 0.5)[0]).toBeCloseTo(0.4);
    expect(valueAt(path, 1)).toEqual([0.6, 0.4]);
  });

  it("finds the keyframe within half a frame", () => {
    const keyframes = [{ time: 0 }, { time: 0.5 }, { time: 1 }];
    expect(keyframeAt(keyframes, 0.52, 16)).toBe(1);
    expect(keyframeAt(keyframes, 0.6, 16)).toBe(-1);
  });
});

describe("snapping", () => {
  it("shifts onto the nearest line within reach and names it", () => {
    const { dx, dy, guides } = snap([0.49, 0.7], [0.2], linesOf([], []), [0.02, 0.02]);
    expect(dx).toBeCloseTo(0.01);
    expect(guides.x).toBe(0.5);
    expect(dy).toBe(0);
    expect(guides.y).toBeNull();
  });

  it("knows the edges and middles of other boxes", () => {
    const { guides } = snap([0.151], [0.9], linesOf([[0.1, 0.1, 0.2, 0.2]], []), [0.01, 0.01]);
    expect(guides.x).toBeCloseTo(0.15);
  });
});

describe("the same shot", () => {
  it("is the same however much is written out", () => {
    const spelt = structuredClone(EXAMPLE);
    spelt.negative_prompt = null;
    spelt.frames = null;
    (spelt.control as Record<string, unknown>).blend = null;
    expect(fingerprint(spelt)).toBe(fingerprint(EXAMPLE));
  });

  it("is another one when anything else is asked", () => {
    const other = structuredClone(EXAMPLE);
    other.prompt = "a blue ball over the meadow";
    expect(fingerprint(other)).not.toBe(fingerprint(EXAMPLE));
    const moved = structuredClone(EXAMPLE);
    const path = moved.instructions?.[0];
    if (path?.kind === "trajectory" && path.form === "box" && path.path.keyframes[1])
      path.path.keyframes[1].time = 0.4;
    expect(fingerprint(moved)).not.toBe(fingerprint(EXAMPLE));
    const seeded = { ...EXAMPLE, seed: 8 };
    expect(fingerprint(seeded)).not.toBe(fingerprint(EXAMPLE));
    expect(fingerprint(seeded, false)).toBe(fingerprint(EXAMPLE, false));
  });
});
