import { expect, it } from "vitest";
import { can, lacking, neededBy } from "./abilities";
import type { Ability } from "./client";

const need = (said: object) => ({
  kind: null,
  form: null,
  role: null,
  named: null,
  later: null,
  setting: null,
  ...said,
});
const table: Ability[] = [
  { name: "image", label: "start from a picture", needed_by: [need({ kind: "image" })] },
  { name: "image.later", label: "show it later", needed_by: [need({ kind: "image", later: true })] },
  { name: "boxes", label: "follow box paths", needed_by: [need({ kind: "trajectory", form: "box" })] },
  {
    name: "nameless",
    label: "follow paths without words",
    needed_by: [need({ kind: "trajectory", form: "box", named: false })],
  },
  { name: "aligned", label: "align frames", needed_by: [need({ setting: "frame_alignment" })] },
];
const names = (what: Parameters<typeof neededBy>[1]) => neededBy(table, what).map(({ name }) => name);

it("asks what the served table asks, under its names", () => {
  expect(names({ kind: "image" })).toEqual(["image"]);
  expect(names({ kind: "image", later: true })).toEqual(["image", "image.later"]);
  expect(names({ kind: "trajectory", form: "box" })).toEqual(["boxes"]);
  expect(names({ kind: "trajectory", form: "box", named: false })).toEqual(["boxes", "nameless"]);
  expect(names({ kind: "trajectory", form: "drag" })).toEqual([]);
  expect(names({ setting: "frame_alignment" })).toEqual(["aligned"]);
});

it("tells what a model lacks", () => {
  const model = { abilities: ["boxes"] };
  const path = { kind: "trajectory", form: "box" };
  expect(can(model, table, path)).toBe(true);
  expect(lacking(model, table, { ...path, named: false }).map(({ label }) => label)).toEqual([
    "follow paths without words",
  ]);
});
