import { expect, it } from "vitest";
import type { Project, Queue, Take } from "../api/client";
import { toldOf } from "./queued";

const entry = (change = {}) =>
  ({
    take: "t",
    project: "p",
    name: "Take 12",
    status: "running",
    client: "c",
    position: null,
    ...change,
  }) as Queue["entries"][number];
const take = (change = {}) => ({ id: "t", prompt: "a red ball", seconds_left: 42, ...change }) as Take;
const PROJECTS = [{ id: "p", name: "Meadow" }] as Project[];

it("a take in the queue is told by its words, its project and its time", () => {
  expect(toldOf(entry(), [take()], PROJECTS)).toEqual({
    prompt: "a red ball",
    project: "Meadow",
    left: "42 s left",
  });
  const waiting = entry({ status: "queued", position: 0 });
  expect(toldOf(waiting, [take()], PROJECTS).left).toBe("42 s left once it runs");
  expect(toldOf(waiting, [take({ seconds_left: null })], PROJECTS).left).toBe("");
});

it("long words are shortened, and what is not known is left out", () => {
  const { prompt } = toldOf(entry(), [take({ prompt: "over the meadow ".repeat(9) })], []);
  expect(prompt.length).toBeLessThanOrEqual(60);
  expect(prompt.endsWith("…")).toBe(true);
  expect(toldOf(entry(), [], [])).toEqual({ prompt: "", project: "", left: "running" });
});
