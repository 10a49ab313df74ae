import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { setValueAt } from "../document/commands";
import { timeOf, valueAt } from "../document/keyframes";
import { EXAMPLE, instructionsOf, isBoxPath } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { startFollowing } from "../session/following";
import { scrub, usePlayhead } from "../session/playhead";
import { nudge } from "./nudging";

const store = () => useDocument.getState();
const settled = () => Promise.resolve();
const boxes = () => {
  const path = instructionsOf(shotNow())[0];
  if (!isBoxPath(path)) throw new Error("no box path");
  return path.path.keyframes;
};
let stop = () => {};

beforeEach(() => {
  vi.stubGlobal("cancelAnimationFrame", () => {});
  store().open(EXAMPLE);
  usePlayhead.setState({ frame: 0, frames: 16 });
  stop = startFollowing();
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

it("a keyframe is let go when the stage shows another frame; its path stays selected", async () => {
  store().select({ instruction: 0, part: 2 });
  scrub(15);
  await settled();
  expect(store().selection).toEqual({ instruction: 0, part: 2 });
  scrub(3);
  await settled();
  expect(store().selection).toEqual({ instruction: 0, part: null });
});

it("a keyframe that undo put in another's place is not selected", async () => {
  scrub(4);
  store().perform("Move", (shot) => ({
    instruction: 0,
    part: setValueAt(shot, 0, timeOf(4, 16), [0.1, 0.1, 0.4, 0.4], 16),
  }));
  await settled();
  expect(store().selection?.part).toBe(1);
  store().undo();
  await settled();
  expect(store().selection).toEqual({ instruction: 0, part: null });
});

it("arrow keys move the thing at the frame that is shown, whatever was selected before", async () => {
  store().select({ instruction: 0, part: 0 });
  scrub(4);
  const path = instructionsOf(shotNow())[0];
  if (!isBoxPath(path)) throw new Error("no box path");
  const stood = valueAt(path, timeOf(4, 16));
  nudge(0.01, 0);
  nudge(0.01, 0);
  await settled();
  expect(boxes()).toHaveLength(4);
  expect(boxes()[0]).toEqual({ time: 0, box: [0.06, 0.42, 0.36, 0.72] });
  expect(boxes()[1]?.box[0]).toBeCloseTo((stood[0] as number) + 0.02, 3);
  expect(store().history.past).toHaveLength(1);
  nudge(0, 0.1, true);
  expect(boxes().map(({ box }) => box[1])).toEqual([
    0.52,
    expect.closeTo((stood[1] as number) + 0.1, 3),
    0.22,
    0.52,
  ]);
});
