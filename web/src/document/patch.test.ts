import { describe, expect, it } from "vitest";
import { patch } from "./patch";

describe("a patch", () => {
  it("adds, replaces and removes, in objects and in lists", () => {
    const shot: Record<string, unknown> = { frames: 40, instructions: [{ phrase: "a" }, { phrase: "b" }] };
    expect(
      patch(shot, [
        { op: "add", path: "/frames", value: 16 },
        { op: "add", path: "/instructions/1/phrase", value: "c" },
        { op: "remove", path: "/instructions/0" },
        { op: "add", path: "/model", value: "m" },
      ]),
    ).toBe(true);
    expect(shot).toEqual({ frames: 16, model: "m", instructions: [{ phrase: "c" }] });
    patch(shot, [{ op: "add", path: "/instructions/-", value: 1 }]);
    expect(shot.instructions).toEqual([{ phrase: "c" }, 1]);
  });

  it("leaves a document alone that has no such place", () => {
    const shot = { instructions: [] };
    expect(patch(shot, [{ op: "add", path: "/instructions/3/phrase", value: "x" }])).toBe(false);
    expect(shot).toEqual({ instructions: [] });
  });
});
