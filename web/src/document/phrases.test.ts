import { describe, expect, it } from "vitest";
import { mentions, phraseAt, unknownWords } from "./phrases";

const PROMPT = "a Red  ball and a red ballon over the red ball";

describe("phrases", () => {
  it("are whole words in any case, without a leading article", () => {
    expect(mentions(PROMPT, "the red ball").map(([a, b]) => PROMPT.slice(a, b))).toEqual([
      "Red  ball",
      "red ball",
    ]);
    expect(mentions(PROMPT, "blue")).toEqual([]);
    expect(mentions(PROMPT, "")).toEqual([]);
    expect(mentions("a (b) c", "(b)")).toHaveLength(1);
  });

  it("are the words a selection touches", () => {
    const prompt = "a red ball over the meadow";
    expect(phraseAt(prompt, 0, 8)).toBe("red ball");
    expect(phraseAt(prompt, 4, 4)).toBe("red");
    expect(phraseAt(prompt, 0, 1)).toBeNull();
  });
});

it("unknown words are found where they stand", () => {
  const known = ["a", "red", "ball", "over", "the", "meadow"];
  expect(unknownWords("A red bal over the dog's meadow", known)).toEqual([
    [6, 9],
    [19, 24],
  ]);
});
