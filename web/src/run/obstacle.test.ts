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

it("is the first of the problems that the server found, and where it is", () => {
  const problem = (field: string, sentence: string) => ({ field, sentence, fixes: [] });
  expect(obstacleOf([])).toBeNull();
  expect(obstacleOf([problem("prompt", "Say what the clip shows.")])).toEqual({
    brief: "fix the prompt first",
    sentence: "Say what the clip shows.",
  });
  expect(obstacleOf([problem("instructions[1].phrase", "A."), problem("frames", "B.")])).toEqual({
    brief: "fix an instruction first",
    sentence: "A. (and 1 more)",
  });
  expect(obstacleOf([problem("control.mask_inset", "C.")])?.brief).toBe("fix a setting first");
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
