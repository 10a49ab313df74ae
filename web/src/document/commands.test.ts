import { produce } from "immer";
import { describe, expect, it } from "vitest";
import {
  addKeyframe,
  addStroke,
  copyKeyframe,
  layMotion,
  moveKeyframe,
  pathOf,
  removeKeyframe,
  reorderInstruction,
  retime,
  setEasing,
  setValueAt,
} from "./commands";
import { tidy } from "./geometry";
import { frameOf, timeOf, valueAt } from "./keyframes";
import { numbers } from "./numbers.testing";
import { EXAMPLE, instructionsOf, isPath, type PathTrajectory, type Shot } from "./shot";

const FRAMES = 16;
const path = (shot: Shot): PathTrajectory => {
  const found = instructionsOf(shot)[0];
  if (!isPath(found)) throw new Error("no path");
  return found;
};
const times = (shot: Shot) => path(shot).path.keyframes.map(({ time }) => time);

describe("keyframes", () => {
  it("are set where one stands, or made in order", () => {
    const shot = produce(EXAMPLE, (draft) => {
      expect(setValueAt(draft, 0, 0.5, [0.1, 0.1, 0.2, 0.2], FRAMES)).toBe(1);
      expect(setValueAt(draft, 0, 0.75, [0.3, 0.3, 0.4, 0.4], FRAMES)).toBe(2);
    });
    // Each on the frame that was meant.
    expect(times(shot)).toEqual([0, 0.5, 0.75, 1]);
    expect(valueAt(path(shot), 0.75)).toEqual([0.3, 0.3, 0.4, 0.4]);
    expect(times(EXAMPLE)).toEqual([0, 0.5, 1]);
  });

  it("added on a path leave it where it was", () => {
    const shot = produce(EXAMPLE, (draft) => void addKeyframe(draft, 0, 0.25, FRAMES));
    for (const [i, edge] of valueAt(path(shot), 0.25).entries())
      expect(edge).toBeCloseTo(valueAt(path(EXAMPLE), 0.25)[i] as number, 3);
  });

  it("move in time between their neighbours and never meet them", () => {
    for (const wanted of [-1, 0, 0.3, 1, 2]) {
      const moved = times(produce(EXAMPLE, (draft) => moveKeyframe(draft, 0, 1, wanted, FRAMES)));
      for (let i = 1; i < moved.length; i++) expect(moved[i]).toBeGreaterThan(moved[i - 1] as number);
      expect(moved[0]).toBe(0);
      expect(moved[2]).toBe(1);
    }
  });

  it("are copied with their value", () => {
    const shot = produce(EXAMPLE, (draft) => void copyKeyframe(draft, 0, 0, 0.8, FRAMES));
    expect(valueAt(path(shot), 0.8)).toEqual(valueAt(path(EXAMPLE), 0));
  });

  it("take the path along when the last one goes", () => {
    const shot = produce(EXAMPLE, (draft) => {
      for (let i = 0; i < 3; i++) removeKeyframe(draft, 0, 0);
    });
    expect(instructionsOf(shot)).toHaveLength(0);
  });

  it("are squeezed into another time", () => {
    const shot = produce(EXAMPLE, (draft) => retime(draft, 0, 0.2, 0.6));
    expect(times(shot)).toEqual([0.2, 0.4, 0.6]);
  });

  it("ease on their own or as the path", () => {
    const shot = produce(EXAMPLE, (draft) => {
      setEasing(draft, 0, 0, "hold");
      setEasing(draft, 0, null, "ease-out");
    });
    expect(path(shot).path.keyframes[0]?.easing).toBe("hold");
    expect(path(shot).path.easing).toBe("ease-out");
    expect(valueAt(path(shot), 0.49)).toEqual(valueAt(path(shot), 0));
  });
});

describe("a recorded motion", () => {
  it("replaces what comes after its start and keeps what was before", () => {
    const shot = produce(EXAMPLE, (draft) =>
      layMotion(draft, 0, [
        { time: 0.5, value: [0.3, 0.3, 0.5, 0.5], easing: "ease-in-out" },
        { time: 1, value: [0.6, 0.3, 0.8, 0.5] },
      ]),
    );
    expect(times(shot)).toEqual([0, 0.5, 1]);
    expect(path(shot).path.keyframes[1]?.easing).toBe("ease-in-out");
    expect(valueAt(path(shot), 1)).toEqual([0.6, 0.3, 0.8, 0.5]);
  });
});

describe("a value set at a frame", () => {
  const random = numbers(7);
  const value = () => {
    const [x, y] = [random() * 0.7, random() * 0.7].map(tidy) as [number, number];
    return [x, y, tidy(x + 0.2), tidy(y + 0.2)];
  };

  it("is what that frame shows, in a keyframe of its own, and changes no other keyframe", () => {
    for (let round = 0; round < 200; round++) {
      const frames = 2 + Math.floor(random() * 48);
      const keys = [...new Set(Array.from({ length: 1 + Math.floor(random() * 6) }, () => tidy(random())))];
      const before: Shot = produce(EXAMPLE, (draft) => {
        const found = pathOf(draft, 0);
        if (found?.form === "box")
          found.path.keyframes = keys
            .sort((a, b) => a - b)
            .map((time) => ({ time, box: value() as [number, number, number, number] }));
      });
      const frame = Math.floor(random() * frames);
      const wanted = value();
      let place = -1;
      const after = produce(before, (draft) => {
        place = setValueAt(draft, 0, timeOf(frame, frames), wanted, frames);
      });
      const shown = valueAt(path(after), timeOf(frame, frames));
      for (const [i, edge] of shown.entries()) expect(edge).toBeCloseTo(wanted[i] as number, 2);
      const [had, has] = [path(before).path.keyframes, path(after).path.keyframes];
      expect(frameOf((has[place] as { time: number }).time, frames)).toBe(frame);
      for (let i = 1; i < has.length; i++) expect(has[i]?.time).toBeGreaterThan(has[i - 1]?.time as number);
      // All the others are as they were: one was made, or one of this frame was changed.
      const others = has.filter((_, i) => i !== place);
      expect(had.filter((keyframe) => others.includes(keyframe))).toEqual(others);
      expect(has.length).toBe(
        had.some(({ time }) => frameOf(time, frames) === frame) ? had.length : had.length + 1,
      );
    }
  });

  it("brings a keyframe that lies between two frames to the one it is of", () => {
    const shot = produce(EXAMPLE, (draft) => {
      expect(setValueAt(draft, 0, timeOf(8, 16), [0.4, 0.4, 0.6, 0.6], 16)).toBe(1);
      expect(setValueAt(draft, 0, timeOf(7, 16), [0.3, 0.3, 0.5, 0.5], 16)).toBe(1);
    });
    expect(times(shot)).toEqual([0, 0.4667, 0.5333, 1]);
  });

  it("added where the frame has one leaves it as it is", () => {
    const shot = produce(EXAMPLE, (draft) => {
      expect(addKeyframe(draft, 0, timeOf(8, 16), 16)).toBe(1);
    });
    expect(shot).toEqual(EXAMPLE);
  });
});

describe("paint", () => {
  it("goes to the chosen paint, else to a new one", () => {
    const shot = produce(EXAMPLE, (draft) => {
      const place = addStroke(draft, null, { points: [[0.5, 0.5]] });
      expect(addStroke(draft, place, { points: [[0.6, 0.5]] })).toBe(place);
    });
    const paint = instructionsOf(shot)[1];
    expect(paint?.kind === "content" && paint.strokes?.length).toBe(2);
  });
});

it("instructions change places", () => {
  const shot = produce(EXAMPLE, (draft) => {
    addStroke(draft, null, { points: [[0.5, 0.5]] });
    reorderInstruction(draft, 0, 1);
  });
  expect(instructionsOf(shot).map(({ kind }) => kind)).toEqual(["content", "trajectory"]);
  expect(pathOf(shot, 0)).toBeNull();
});
