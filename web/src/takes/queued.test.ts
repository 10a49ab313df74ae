import { expect, it } from "vitest";
import type { Project, Queue } from "../api/client";
import { toldOf } from "./queued";

const entry = (change = {}) =>
  ({
    take: "t",
    project: "p",
    name: "Take 12",
    prompt: "a red ball",
    seed: 7,
    status: "running",
    asked: null,
    step: 3,
    steps: 10,
    seconds_left: 42,
    client: "c",
    position: null,
    ...change,
  }) as Queue["entries"][number];
const PROJECTS = [{ id: "p", name: "Meadow" }] as Project[];

it("a take in the queue is told by its words, its project, its place and its time", () => {
  expect(toldOf(entry(), PROJECTS, false)).toEqual({
    prompt: "a red ball",
    project: "Meadow",
    place: "running, step 3 of 10",
    left: "42 s left",
  });
  const waiting = entry({ status: "queued", position: 1 });
  expect(toldOf(waiting, PROJECTS, false)).toMatchObject({
    place: "2nd in line",
    left: "42 s left once it runs",
  });
  expect(toldOf(waiting, PROJECTS, true).place).toBe("on hold, 2nd in line");
  expect(toldOf({ ...waiting, seconds_left: null }, PROJECTS, false).left).toBe("");
});

it("what was asked of it comes first", () => {
  expect(toldOf(entry({ asked: "paused" }), [], false).place).toBe("Pausing…");
  expect(toldOf(entry({ asked: "stopped" }), [], false).place).toBe("Cancelling…");
  expect(toldOf(entry({ steps: 0 }), [], false).place).toBe("getting ready");
});

it("long words are shortened", () => {
  const { prompt } = toldOf(entry({ prompt: "over the meadow ".repeat(9) }), [], false);
  expect(prompt.length).toBeLessThanOrEqual(60);
  expect(prompt.endsWith("…")).toBe(true);
});
