import { expect, it } from "vitest";
import { freedSentence, megabytes } from "./freed";

it("sizes are said as a person reads them", () => {
  expect([3_400_000, 42_000_000, 2_500_000_000].map(megabytes)).toEqual(["3.4 MB", "42 MB", "2.5 GB"]);
});

it("says what is freed and what becomes of the steps", () => {
  expect(freedSentence({ checkpoints: 9, files: 9, bytes: 6_400_000 })).toBe(
    "Frees 6.4 MB: 9 steps can then be viewed, but not branched from.",
  );
  expect(freedSentence({ checkpoints: 1, files: 1, bytes: 6_400_000 })).toContain("1 step can");
  expect(freedSentence({ checkpoints: 0, files: 2, bytes: 1_000_000 })).toBe(
    "Frees 1.0 MB that no take needs.",
  );
  expect(freedSentence({ checkpoints: 0, files: 0, bytes: 0 })).toContain("Nothing to free");
});
