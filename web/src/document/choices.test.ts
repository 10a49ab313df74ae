import { expect, it } from "vitest";
import { chosenAfter } from "./choices";

const PARTS = ["down", "mid", "up"] as const;

it("keeps the options' order, whatever is ticked first", () => {
  const first = chosenAfter(PARTS, null, "up", true);
  expect(first).toEqual(["up"]);
  expect(chosenAfter(PARTS, first, "down", true)).toEqual(["down", "up"]);
  expect(chosenAfter(PARTS, ["down", "up"], "down", true)).toEqual(["down", "up"]);
});

it("says nowhere when the last is unticked, and nothing where one has to be chosen", () => {
  expect(chosenAfter(PARTS, ["mid"], "mid", false)).toEqual([]);
  expect(chosenAfter(PARTS, ["mid"], "mid", false, 1)).toBeNull();
  expect(chosenAfter(PARTS, ["mid", "up"], "mid", false, 1)).toEqual(["up"]);
});
