import { describe, expect, it } from "vitest";
import { laid } from "./draft";
import { valueAt } from "./keyframes";
import { EXAMPLE, instructionsOf, isPath, nameOf } from "./shot";

describe("a draft", () => {
  it("that is whole is laid as it is", () => {
    expect(laid(EXAMPLE)).toEqual(EXAMPLE);
  });

  it("of which much is missing can be shown all the same", () => {
    const shot = laid({
      instructions: [
        { kind: "trajectory", form: "box" },
        { kind: "trajectory", form: "point", path: { keyframes: [] } },
        { kind: "trajectory", form: "box", path: { keyframes: [{ box: null }, { time: 1 }] } },
        { kind: "trajectory", form: "drag", moves: [{}] },
        { kind: "trajectory", form: "drag" },
        { kind: "target" },
        { kind: "image" },
        { kind: "content", strokes: [{}], mask: { strokes: [{}] } },
        { kind: "motion" },
      ],
    });
    expect(shot.prompt).toBe("");
    for (const instruction of instructionsOf(shot)) {
      // A name that is not said yet leaves nothing hanging.
      expect(nameOf(instruction)).toMatch(/[^\s:]$/);
      if (isPath(instruction)) expect(valueAt(instruction, 0.5).every(Number.isFinite)).toBe(true);
    }
    expect(laid(shot as never)).toEqual(shot);
  });
});
