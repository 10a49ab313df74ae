import { expect, it } from "vitest";
import { freedSentence } from "./freed";

it("says what is freed, and where nothing is", () => {
  expect(freedSentence({ checkpoints: 61, files: 58, bytes: 84_200_000 })).toBe(
    "84 MB would be freed: 61 checkpoints are dropped, 58 files deleted.",
  );
  expect(freedSentence({ checkpoints: 1, files: 1, bytes: 1_240_000 })).toBe(
    "1.2 MB would be freed: 1 checkpoint is dropped, 1 file deleted.",
  );
  expect(freedSentence({ checkpoints: 0, files: 2, bytes: 2_500_000_000 })).toBe(
    "2.5 GB would be freed: no checkpoint is dropped, 2 files deleted.",
  );
  expect(freedSentence({ checkpoints: 0, files: 0, bytes: 0 })).toContain("Nothing would be freed");
});
