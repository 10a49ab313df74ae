import { beforeEach, describe, expect, it, vi } from "vitest";
import { EXAMPLE, type Instruction, instructionsOf, isDrag } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { usePlayhead } from "../session/playhead";
import { nudge, toPart } from "./nudging";

const DRAG: Instruction = {
  kind: "trajectory",
  form: "drag",
  moves: [
    { handle: [0.4, 0.5], target: [0.6, 0.5] },
    { handle: [0.2, 0.2], target: [0.2, 0.4] },
  ],
  region: { box: [0.3, 0.3, 0.7, 0.7] },
};
const store = () => useDocument.getState();
const lay = (instruction: Instruction) => store().open({ ...EXAMPLE, instructions: [instruction] });
const first = () => instructionsOf(shotNow())[0] as Instruction;
const moves = () => {
  const drag = first();
  if (!isDrag(drag)) throw new Error("no drag");
  return drag.moves;
};

describe("nudging a drag", () => {
  beforeEach(() => lay(DRAG));

  it("moves the target of the chosen move, or its handle, and is one step of undo", () => {
    store().select({ instruction: 0, part: 0 });
    for (let i = 0; i < 3; i++) nudge(0.01, 0);
    expect(moves()[0]).toEqual({ handle: [0.4, 0.5], target: [0.63, 0.5] });
    store().select({ instruction: 0, part: 0, end: "handle" });
    nudge(0, -0.1);
    expect(moves()[0]).toEqual({ handle: [0.4, 0.4], target: [0.63, 0.5] });
    expect(store().history.past).toHaveLength(2);
    expect(store().selection).toEqual({ instruction: 0, part: 0, end: "handle" });
  });

  it("moves the whole with its region, in its shape, and not out of the frame", () => {
    store().select({ instruction: 0, part: null });
    nudge(0.5, 0);
    expect(moves().map(({ handle, target }) => [handle[0], target[0]])).toEqual([
      [0.7, 0.9],
      [0.5, 0.5],
    ]);
    expect(first()).toMatchObject({ region: { box: [0.6, 0.3, 1, 0.7] } });
  });

  it("goes along its handles and targets", () => {
    store().select({ instruction: 0, part: null });
    const way = [1, 1, 1, 1, 1, -1, -1].map((by) => {
      toPart(by as 1 | -1);
      const { part, end } = store().selection ?? {};
      return `${end} ${part}`;
    });
    expect(way).toEqual(["handle 0", "target 0", "handle 1", "target 1", "target 1", "handle 1", "target 0"]);
  });
});

it("nudges pins, regions and targets", () => {
  lay({ kind: "trajectory", form: "point", path: { keyframes: [{ time: 0, point: [0.5, 0.5] }] } });
  store().select({ instruction: 0, part: null });
  nudge(0.1, 0);
  expect(first()).toMatchObject({ path: { keyframes: [{ point: [0.6, 0.5] }] } });
  lay({
    kind: "content",
    prompt: "a boat",
    mask: {
      polygon: [
        [0.1, 0.1],
        [0.3, 0.1],
        [0.2, 0.3],
      ],
    },
  });
  store().select({ instruction: 0, part: null });
  nudge(-0.2, 0.1);
  expect(first()).toMatchObject({
    mask: {
      polygon: [
        [0, 0.2],
        [0.2, 0.2],
        [0.1, 0.4],
      ],
    },
  });
  lay({ kind: "target", role: "target", phrase: "ball", mask: { box: [0.2, 0.2, 0.4, 0.4] } });
  store().select({ instruction: 0, part: null });
  nudge(0, 0.1);
  expect(first()).toMatchObject({ mask: { box: [0.2, 0.3, 0.4, 0.5] } });
});

it("stops a clip that plays, so that presses in a row move one keyframe", () => {
  vi.stubGlobal("cancelAnimationFrame", () => {});
  lay(EXAMPLE.instructions?.[0] as Instruction);
  store().select({ instruction: 0, part: null });
  usePlayhead.setState({ playing: true, frame: 5, frames: 16 });
  nudge(0.01, 0);
  expect(usePlayhead.getState()).toMatchObject({ playing: false, frame: 5 });
  vi.unstubAllGlobals();
});
