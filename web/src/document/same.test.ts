import { expect, it } from "vitest";
import { fingerprint } from "./same";
import type { ControlSettings, Shot } from "./shot";

const shot = (control: ControlSettings): Shot => ({ version: 1, prompt: "a red ball", control });

it("sees a shot that is written out and one that leaves its defaults out as one", () => {
  expect(fingerprint({ ...shot({ mask_sites: null, blend: null }), instructions: [] })).toBe(
    fingerprint({ prompt: "a red ball", seed: 0 } as Shot),
  );
});

it("sees nowhere as another wish than what the model decides", () => {
  for (const field of ["mask_sites", "normalization_sites"] as const)
    expect(fingerprint(shot({ [field]: [] }))).not.toBe(fingerprint(shot({ [field]: null })));
});

it("sees a box that is drawn in by nothing as another wish than what the model decides", () => {
  expect(fingerprint(shot({ mask_inset: 0 }))).not.toBe(fingerprint(shot({})));
});
