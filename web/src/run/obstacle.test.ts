import { expect, it } from "vitest";
import type { Model } from "../api/client";
import type { Shot } from "../document/shot";
import { keptByBranches, obstacleOf } from "./obstacle";

const model = {
  name: "/models/toy",
  abilities: ["trajectory.box"],
  defaults: { frames: 16, width: 128, height: 128, fps: 8, steps: 24, guidance: 5, scheduler: "ddim" },
  limits: { vocabulary: ["a", "ball", "red"] },
} as unknown as Model;
const shot = (change: Partial<Shot>): Shot => ({ version: 1, prompt: "a red ball", ...change }) as Shot;
const box = (phrase: string) =>
  ({ kind: "trajectory", form: "box", phrase, path: { keyframes: [] } }) as never;

it("foresees what a model cannot do, a word it does not know, and words that are gone", () => {
  expect(obstacleOf(shot({}), model, [])).toBeNull();
  expect(obstacleOf(shot({ instructions: [{ kind: "image", image: "x" } as never] }), model, [])?.brief).toBe(
    "not with toy",
  );
  const word = obstacleOf(shot({ prompt: "a red bal" }), model, []);
  expect(word?.brief).toBe("unknown word: bal");
  expect(word?.sentence).toContain("try ball");
  expect(obstacleOf(shot({ instructions: [box("red ball")] }), model, [])).toBeNull();
  expect(obstacleOf(shot({ instructions: [box("a car")] }), model, [])?.brief).toBe("“a car” is gone");
  expect(obstacleOf(shot({ prompt: "a dragon" }), undefined, [])).toBeNull();
});

it("names what a branch cannot change, and nothing that is only written out", () => {
  const before = shot({ model: "toy" });
  expect(keptByBranches(before, shot({ model: "toy", steps: 24, width: 128 }), model)).toBeNull();
  expect(
    keptByBranches(before, shot({ model: "toy", prompt: "a ball", seed: 9, guidance: 2 }), model),
  ).toBeNull();
  expect(keptByBranches(before, shot({ model: "other" }), model)).toBe("the model");
  expect(keptByBranches(before, shot({ model: "toy", steps: 12 }), model)).toBe("the number of steps");
  expect(keptByBranches(before, shot({ model: "toy", height: 64 }), model)).toBe("the height");
});
