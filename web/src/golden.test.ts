/** What the page computes as the library does, against values that the library wrote (tests/golden). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mixesWithParent, weightAt } from "./document/blend";
import { timeOf, valueAt } from "./document/keyframes";
import { mentions, unknownWords } from "./document/phrases";
import type { PathTrajectory, Shot, WeightKeyframe } from "./document/shot";
import { elastic } from "./stage/elastic";

function golden<T>(subject: string): T[] {
  const cases = JSON.parse(
    readFileSync(new URL(`../../tests/golden/${subject}.json`, import.meta.url), "utf8"),
  );
  expect(cases.length).toBeGreaterThan(3);
  return cases;
}

/** A place counted in characters, counted as the page counts. */
const unit = (text: string, character: number): number => [...text].slice(0, character).join("").length;

describe("the page, as the library", () => {
  it("finds phrases in a prompt", () => {
    for (const { prompt, phrase, spans } of golden<{ prompt: string; phrase: string; spans: number[][] }>(
      "phrases",
    ))
      expect([phrase, mentions(prompt, phrase)]).toEqual([
        phrase,
        spans.map((span) => span.map((place) => unit(prompt, place))),
      ]);
  });

  it("knows which words a vocabulary does not have", () => {
    for (const { text, vocabulary, unknown } of golden<{
      text: string;
      vocabulary: string[];
      unknown: string[];
    }>("words")) {
      const found = unknownWords(text, vocabulary).map((span) => text.slice(...span).toLowerCase());
      expect([text, [...new Set(found)]]).toEqual([text, unknown]);
    }
  });

  it("moves a path between its keyframes", () => {
    for (const { instruction, at } of golden<{ instruction: PathTrajectory; at: [number, number[]][] }>(
      "paths",
    ))
      for (const [time, value] of at)
        valueAt(instruction, time).forEach((number, axis) => {
          expect(number).toBeCloseTo(value[axis] as number, 9);
        });
  });

  it("knows what a blend is with", () => {
    for (const { shot, mixes_with_parent } of golden<{ shot: Shot; mixes_with_parent: boolean }>("blends"))
      expect([shot, mixesWithParent(shot)]).toEqual([shot, mixes_with_parent]);
  });

  it("weighs a blend over time", () => {
    for (const { over_time, frames, weights } of golden<{
      over_time: WeightKeyframe[];
      frames: number;
      weights: number[];
    }>("weights"))
      weights.forEach((weight, frame) => {
        expect(weightAt(over_time, timeOf(frame, frames))).toBeCloseTo(weight, 9);
      });
  });

  it("bends a picture by a drag", () => {
    for (const { handles, targets, at, reads } of golden<
      Record<"handles" | "targets" | "at" | "reads", [number, number][]>
    >("elastic")) {
      const map = elastic(handles.flat(), targets.flat());
      at.forEach((place, i) => {
        const [x, y] = map(...place);
        const [u, v] = reads[i] as [number, number];
        // A hundredth of a pixel: the library counts in single precision.
        expect(Math.hypot(x - u, y - v)).toBeLessThan(0.01);
      });
    }
  });
});
