import { describe, expect, it } from "vitest";
import { placeOf } from "../canvas/strips";
import { toFrame, toScreen, type View, wholeFrame, zoom } from "../canvas/view";
import { EXAMPLE, instructionsOf, isPath, type Shot } from "../document/shot";
import { elastic } from "./elastic";
import { hitTest } from "./hit";
import { showsStrokes } from "./scene";

const VIEW: View = { x: 20, y: 10, width: 400, height: 400 };

describe("the view", () => {
  it("shows the whole frame in the middle", () => {
    const view = wholeFrame({ width: 128, height: 64 }, { width: 800, height: 600 });
    expect(view.width / view.height).toBeCloseTo(2);
    expect(view.x + view.width / 2).toBeCloseTo(400);
    expect(view.y + view.height / 2).toBeCloseTo(300);
  });

  it("zooms about the pointer", () => {
    const at = [130, 90] as [number, number];
    const before = toFrame(VIEW, at);
    const after = toFrame(zoom(VIEW, 1.7, at), at);
    expect(after[0]).toBeCloseTo(before[0]);
    expect(after[1]).toBeCloseTo(before[1]);
  });

  it("goes to the screen and back", () => {
    expect(toFrame(VIEW, toScreen(VIEW, [0.3, 0.8]))).toEqual([0.3, 0.8]);
  });
});

describe("hits", () => {
  const at = (point: [number, number], selected: boolean, time = 0) =>
    hitTest(
      EXAMPLE,
      selected ? { instruction: 0, part: null } : null,
      time,
      VIEW,
      toScreen(VIEW, point),
      point,
    );

  it("find the box where it is at that time", () => {
    expect(at([0.2, 0.5], false)?.kind).toBe("body");
    expect(at([0.2, 0.5], false, 1)).toBeNull();
    expect(at([0.8, 0.5], false, 1)?.kind).toBe("body");
  });

  it("find grips and keyframes of the selected one only", () => {
    const [instruction] = instructionsOf(EXAMPLE);
    if (!isPath(instruction)) throw new Error("no path");
    expect(at([0.06, 0.42], true)?.kind).toBe("grip");
    expect(at([0.06, 0.42], false)?.kind).toBe("body");
    expect(at([0.5, 0.27], true)).toMatchObject({ kind: "keyframe", selection: { part: 1 } });
    expect(at([0.5, 0.27], false)).toBeNull();
  });
});

it("frames of a strip stand in rows", () => {
  const strip = { digest: "", frames: 10, columns: 4, width: 16, height: 8 };
  expect(placeOf(strip, 0)).toEqual({ x: 0, y: 0 });
  expect(placeOf(strip, 5)).toEqual({ x: 16, y: 8 });
  expect(placeOf(strip, 99)).toEqual({ x: 16, y: 16 });
});

describe("the elastic map", () => {
  it("is a shift for one handle", () => {
    expect(elastic([10, 10], [14, 7])(20, 20)).toEqual([16, 23]);
  });

  it("reads every target at its handle", () => {
    const handles = [20, 20, 80, 25, 50, 90];
    const targets = [28, 12, 75, 40, 55, 80];
    const map = elastic(handles, targets);
    for (let i = 0; i < handles.length; i += 2) {
      const [x, y] = map(targets[i] as number, targets[i + 1] as number);
      expect(x).toBeCloseTo(handles[i] as number, 3);
      expect(y).toBeCloseTo(handles[i + 1] as number, 3);
    }
  });

  it("is rigid for a rigid move", () => {
    const turn = ([x, y]: [number, number]): [number, number] => [100 - y, x];
    const handles: [number, number][] = [
      [10, 20],
      [60, 30],
      [40, 70],
    ];
    const map = elastic(handles.flat(), handles.flatMap(turn));
    const [x, y] = map(...turn([33, 44]));
    expect(x).toBeCloseTo(33, 4);
    expect(y).toBeCloseTo(44, 4);
  });
});

describe("paint", () => {
  const painted: Shot = {
    ...EXAMPLE,
    instructions: [
      ...instructionsOf(EXAMPLE),
      { kind: "content", strokes: [{ points: [[0.5, 0.5]], width: 0.1, colour: "#c0392b" }] },
    ],
  };
  const [path, paint] = [0, 1].map((instruction) => ({ instruction, part: null }));

  it("lies over the picture, not over a take that was made from it", () => {
    expect(showsStrokes(false, "select", painted, null)).toBe(true);
    expect(showsStrokes(true, "select", painted, null)).toBe(false);
    expect(showsStrokes(true, "select", painted, path ?? null)).toBe(false);
  });

  it("lies over a take while somebody works on it", () => {
    expect(showsStrokes(true, "brush", painted, null)).toBe(true);
    expect(showsStrokes(true, "eraser", painted, null)).toBe(true);
    expect(showsStrokes(true, "select", painted, paint ?? null)).toBe(true);
  });
});
