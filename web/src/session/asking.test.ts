import { expect, it } from "vitest";
import { EXAMPLE, type Instruction } from "../document/shot";
import { useDocument } from "../document/store";
import { askWhatIsIn } from "./asking";
import { sessionNow } from "./session";

const mask = { box: [0, 0, 0.5, 0.5] as [number, number, number, number] };
const box = (phrase: string | null): Instruction => ({
  kind: "trajectory",
  form: "box",
  phrase,
  path: { easing: "linear", leaves_frame: false, keyframes: [{ time: 0, box: mask.box }] },
});

function asked(instruction: Instruction): number | null {
  useDocument.getState().open({ ...EXAMPLE, instructions: [instruction] });
  useDocument.getState().select({ instruction: 0, part: null });
  askWhatIsIn();
  return sessionNow().asking;
}

it("asks what a mark or a path is of, unless it says so", () => {
  expect(asked({ kind: "target", role: "target", phrase: "", mask })).toBe(0);
  expect(asked({ kind: "target", role: "target", phrase: "red ball", mask })).toBeNull();
  expect(asked(box(null))).toBe(0);
  expect(asked(box("red ball"))).toBeNull();
  expect(asked({ kind: "content", prompt: "a red ball", mask })).toBeNull();
});
