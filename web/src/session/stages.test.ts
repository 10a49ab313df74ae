import { expect, it, vi } from "vitest";
import type { Take } from "../api/client";
import { usePlayhead } from "./playhead";
import { setSession } from "./session";
import { arrival, type Left, leaveStage, setStageOf } from "./stages";

const takes = [
  { id: "a", shot: "one" },
  { id: "b", shot: "one" },
  { id: "c", shot: "two" },
] as Take[];
const left = (change: Partial<Left>): Left => ({
  viewed: null,
  compared: null,
  compareMode: "wipe",
  wipe: 0.5,
  selection: null,
  frame: 0,
  frames: 16,
  fps: 8,
  playing: false,
  ...change,
});

it("opens a shot at its newest take, never at another shot's", () => {
  expect(arrival("one", undefined, takes)).toEqual({ viewed: { take: "b", step: null }, compared: null });
  expect(arrival("new", undefined, takes)).toEqual({ viewed: null, compared: null });
});

it("comes back to what was looked at, as far as it is there", () => {
  const viewed = { take: "a", step: 3 };
  expect(arrival("one", left({ viewed, compared: { take: "b", step: null } }), takes)).toEqual({
    viewed,
    compared: { take: "b", step: null },
  });
  expect(arrival("one", left({ viewed: { take: "gone", step: 3 } }), takes).viewed?.take).toBe("b");
  expect(arrival("one", left({ compared: { take: "gone", step: 3 } }), takes).compared).toBeNull();
  expect(arrival("one", left({}), takes).viewed).toBeNull();
});

it("comes back to its frame, with its own length, from a shot that is shorter", () => {
  setSession({ shot: "one", viewed: null, compared: null });
  usePlayhead.setState({ frame: 3, frames: 5, fps: 8 });
  leaveStage();
  setSession({ shot: "two" });
  usePlayhead.setState({ frame: 0, frames: 2, fps: 4 });
  const frames: [number, number][] = [];
  const stop = usePlayhead.subscribe((state) => frames.push([state.frame, state.frames]));
  setSession({ shot: "one" });
  setStageOf("one", takes);
  stop();
  expect(usePlayhead.getState()).toMatchObject({ frame: 3, frames: 5, fps: 8 });
  expect(frames.every(([frame, length]) => frame < length)).toBe(true);
});

it("stands at the frame it was left at, whatever played in between", () => {
  vi.stubGlobal("requestAnimationFrame", () => 1);
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  setSession({ shot: "one" });
  usePlayhead.setState({ frame: 3, frames: 16, fps: 8, playing: false });
  leaveStage();
  setSession({ shot: "two" });
  usePlayhead.setState({ frame: 7, playing: true });
  leaveStage();
  setStageOf("one", takes);
  expect(usePlayhead.getState()).toMatchObject({ frame: 3, playing: false });
  setStageOf("two", takes);
  expect(usePlayhead.getState().playing).toBe(true);
  vi.unstubAllGlobals();
});
