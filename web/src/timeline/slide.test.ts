import { beforeEach, describe, expect, it } from "vitest";
import { EXAMPLE, instructionsOf, isBoxPath } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { beginSlide, slideKeyframe, slideTo } from "./slide";

const FRAMES = 16;
const WIDTH = 600;
const keyframes = () => {
  const [path] = instructionsOf(shotNow());
  if (!isBoxPath(path)) throw new Error("no path");
  return path.path.keyframes;
};
const times = () => keyframes().map(({ time }) => time);

/** Slides a keyframe along the places, as the timeline's line does. */
function slideAlong(place: number, ways: readonly number[], altKey: boolean): void {
  const [path] = instructionsOf(shotNow());
  if (!isBoxPath(path)) throw new Error("no path");
  const slide = beginSlide(100, `slide-${place}`);
  for (const way of ways) {
    const pointed = { clientX: 100 + way, altKey, ctrlKey: false, metaKey: false };
    const by = slideTo(slide, pointed, WIDTH, FRAMES);
    if (by !== null) slideKeyframe({ path, index: 0, place }, by, slide.key, slide.copying === true, FRAMES);
  }
  useDocument.getState().settle(slide.key);
}

beforeEach(() => useDocument.getState().open(EXAMPLE));

describe("Alt-sliding a keyframe", () => {
  it("copies from the first move to the last: the original stays, the copy follows", () => {
    // The first moves round to the frame that it is on.
    slideAlong(1, [2, 5, 12, 18, 40, 80, 120], true);
    expect(times()).toEqual([0, 0.5, 0.7, 1]);
    expect(keyframes()[2]?.box).toEqual(keyframes()[1]?.box);
    expect(useDocument.getState().selection).toEqual({ instruction: 0, part: 2 });
    expect(useDocument.getState().history.past).toHaveLength(1);
    useDocument.getState().undo();
    expect(shotNow()).toEqual(EXAMPLE);
  });

  it("goes before the original too, and over other keyframes without changing them", () => {
    slideAlong(2, [-40, -300, -450], true);
    expect(times()).toEqual([0, 0.2667, 0.5, 1]);
    expect(keyframes()[1]?.box).toEqual(keyframes()[3]?.box);
    expect(keyframes()[2]).toMatchObject({ time: 0.5, box: [0.35, 0.12, 0.65, 0.42] });
  });

  it("changes nothing where it ends on the same time, not even what can be undone", () => {
    slideAlong(1, [8, 60, 120, 60, 6], true);
    expect(shotNow()).toEqual(EXAMPLE);
    expect(useDocument.getState().history.past).toHaveLength(0);
    slideAlong(1, [5, 12], true);
    expect(useDocument.getState().history.past).toHaveLength(0);
  });
});

it("a slide without Alt moves, and leaves no step where it comes back", () => {
  slideAlong(1, [5, 80], false);
  expect(times()).toEqual([0, 0.6333, 1]);
  useDocument.getState().undo();
  slideAlong(1, [5, 80, 0], false);
  expect(times()).toEqual([0, 0.5, 1]);
  expect(useDocument.getState().history.past).toHaveLength(0);
});

it("a press that hardly moves is a click", () => {
  slideAlong(1, [1, 3, -3], true);
  expect(shotNow()).toBe(EXAMPLE);
});
