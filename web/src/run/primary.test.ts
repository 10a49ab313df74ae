import { describe, expect, it } from "vitest";
import type { Take } from "../api/client";
import { branchPoint, primaryOf } from "./primary";
import { remaining } from "./remaining";

const take = (change: Partial<Take>): Take =>
  ({
    id: "t",
    name: "Take 1",
    status: "paused",
    step: 8,
    steps: 24,
    kept_steps: [0, 1, 2, 5, 8],
    ...change,
  }) as Take;

describe("the big button", () => {
  it("runs where there is no take, and after one is finished", () => {
    expect(primaryOf(null, null, false).act).toBe("run");
    expect(primaryOf(take({ status: "finished", step: 24 }), null, false).act).toBe("run");
    expect(primaryOf(take({ status: "finished", step: 24 }), null, true).act).toBe("run");
  });

  it("pauses what runs or waits", () => {
    expect(primaryOf(take({ status: "running" }), null, true).act).toBe("pause");
    expect(primaryOf(take({ status: "queued" }), null, false).act).toBe("pause");
  });

  it("plays on what stands, as long as the shot is the same", () => {
    for (const status of ["paused", "stopped", "interrupted", "failed"] as const)
      expect(primaryOf(take({ status }), null, false).act).toBe("play");
  });

  it("branches a paused take when the shot has changed", () => {
    expect(primaryOf(take({}), null, true)).toMatchObject({ act: "branch", at: 8 });
  });

  it("branches at an earlier step, changed or not, at the kept one before it", () => {
    expect(primaryOf(take({ status: "finished", step: 24 }), 6, false)).toMatchObject({
      act: "branch",
      at: 5,
    });
    expect(primaryOf(take({ status: "running" }), 2, true)).toMatchObject({ act: "branch", at: 2 });
  });

  it("starts anew where a shot is changed at the last step", () => {
    const done = take({ status: "finished", step: 24, kept_steps: [0, 12, 24] });
    expect(primaryOf(done, 24, true).act).toBe("run");
    expect(primaryOf(done, 23, true)).toMatchObject({ act: "branch", at: 12 });
  });

  it("starts anew where nothing but the start is kept", () => {
    expect(primaryOf(take({ kept_steps: [0] }), null, true).act).toBe("run");
  });
});

it("branches at a kept step", () => {
  expect(branchPoint([0, 5, 10], 7)).toBe(5);
  expect(branchPoint([0, 5, 10], 10)).toBe(10);
  expect(branchPoint([], 4)).toBe(0);
});

it("says the time that is left as a person would", () => {
  expect(remaining(0.4)).toBe("a moment left");
  expect(remaining(12.4)).toBe("12 s left");
  expect(remaining(200)).toBe("3 min left");
});
