import { expect, it } from "vitest";
import { misfits } from "./fitting";
import type { Instruction, Shot } from "./shot";

const video = { name: "theatre-video", abilities: ["trajectory.box", "trajectory.point"] };
const animate = {
  name: "theatre-animate",
  abilities: ["image", "content", "motion", "trajectory.box", "trajectory.point", "trajectory.drag"],
};
const shot = (...instructions: Instruction[]): Shot => ({ version: 1, prompt: "a red ball", instructions });
const target: Instruction = { kind: "target", phrase: "red ball", mask: { box: [0, 0, 0.5, 0.5] } };
const drag: Instruction = { kind: "trajectory", form: "drag", moves: [{ handle: [0, 0], target: [1, 1] }] };
const box = (phrase: string | null): Instruction => ({
  kind: "trajectory",
  form: "box",
  phrase,
  path: { keyframes: [{ time: 0, box: [0, 0, 0.5, 0.5] }] },
});

it("names the model, the instruction and the models that could", () => {
  const [found] = misfits(shot(drag), video, [video, animate]);
  expect(found?.sentence).toBe(
    "theatre-video cannot act on drags (Drag). Use a model that can, or remove it.",
  );
  expect(found?.models).toEqual(["theatre-animate"]);
});

it("calls a folder by its own name", () => {
  const folder = { name: "/home/me/models/toy-animate", abilities: ["trajectory.box"] };
  expect(misfits(shot(drag), folder, [folder])[0]?.sentence).toMatch(/^toy-animate cannot act on drags/);
});

it("says where no model can", () => {
  const [found] = misfits(shot(box("red ball"), target), animate, [video, animate]);
  expect(found?.index).toBe(1);
  expect(found?.sentence).toContain(
    "cannot act on target masks (Target: red ball). No model of this studio can",
  );
  expect(found?.models).toEqual([]);
});

it("asks for the words of a path that names none, where no picture says what is meant", () => {
  expect(misfits(shot(box("red ball")), video, [video])).toEqual([]);
  expect(misfits(shot(box(null)), video, [video])[0]?.sentence).toContain("say which words of the prompt");
  expect(misfits(shot(box(null)), animate, [animate])).toEqual([]);
});
