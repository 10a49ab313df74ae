import { describe, expect, it } from "vitest";
import type { Take } from "../api/client";
import { branchPoint, type Circumstances, controlsOf } from "./primary";
import { remaining } from "./remaining";

const take = (change: Partial<Take>): Take =>
  ({
    id: "t",
    name: "Take 1",
    status: "paused",
    step: 8,
    steps: 24,
    branch_step: null,
    kept_steps: [0, 1, 2, 5, 8],
    ...change,
  }) as Take;

const at = (step: number | null, changed: boolean, more: Partial<Circumstances> = {}): Circumstances => ({
  step,
  changed,
  busy: false,
  obstacle: null,
  fixed: null,
  ...more,
});
const primaryOf = (of: Take | null, step: number | null, changed: boolean) =>
  controlsOf(of, at(step, changed)).primary;

describe("the likeliest act", () => {
  it("is a new take where there is none, and after one is finished", () => {
    expect(primaryOf(null, null, false).act).toBe("run");
    expect(primaryOf(take({ status: "finished", step: 24 }), null, false).act).toBe("run");
    expect(primaryOf(take({ status: "finished", step: 24 }), null, true).act).toBe("run");
  });

  it("is a pause while it runs or waits", () => {
    expect(primaryOf(take({ status: "running" }), null, true).act).toBe("pause");
    expect(primaryOf(take({ status: "queued" }), null, false).act).toBe("pause");
  });

  it("is to go on with what stands, as long as the shot is the same", () => {
    for (const status of ["paused", "stopped", "interrupted", "failed"] as const)
      expect(primaryOf(take({ status }), null, false).act).toBe("play");
  });

  it("is a branch of a paused take when the shot has changed", () => {
    expect(primaryOf(take({}), null, true)).toMatchObject({ act: "branch", at: 8 });
  });

  it("is a branch at an earlier step, changed or not, at the kept one before it", () => {
    expect(primaryOf(take({ status: "finished", step: 24 }), 6, false)).toMatchObject({
      act: "branch",
      at: 5,
    });
    expect(primaryOf(take({ status: "running" }), 2, true)).toMatchObject({ act: "branch", at: 2 });
  });

  it("is a new take where a shot is changed at the last step", () => {
    const done = take({ status: "finished", step: 24, kept_steps: [0, 12, 24] });
    expect(primaryOf(done, 24, true).act).toBe("run");
    expect(primaryOf(done, 23, true)).toMatchObject({ act: "branch", at: 12 });
  });

  it("is a new take where nothing but the start is kept", () => {
    expect(primaryOf(take({ kept_steps: [0] }), null, true).act).toBe("run");
  });
});

describe("the buttons", () => {
  it("say where they start", () => {
    const { run, branch } = controlsOf(take({}), at(5, false, { busy: true }));
    expect([run.ready, run.said]).toEqual([true, "from step 0, in line"]);
    expect([branch.ready, branch.said]).toEqual([true, "from step 5 of Take 1"]);
  });

  it("say why there is no branch", () => {
    const said = (of: Take | null, circumstances: Circumstances) => {
      const { branch } = controlsOf(of, circumstances);
      return branch.ready ? null : branch.said;
    };
    expect(said(null, at(null, false))).toBe("choose a take first");
    expect(said(take({ kept_steps: [0], step: 0 }), at(null, false))).toBe("Take 1 has no steps yet");
    expect(said(take({}), at(0, false))).toBe("click a later step");
    const done = take({ status: "finished", step: 24, kept_steps: [0, 12, 24] });
    expect(said(done, at(null, true))).toBe("click an earlier step");
    expect(said(take({}), at(null, true, { fixed: "the model" }))).toBe("the model changed");
    expect(said(take({}), at(null, true))).toBeNull();
  });

  it("do nothing where the shot cannot be run, and say why", () => {
    const obstacle = { brief: "unknown word: bal", sentence: "It does not know the word “bal”." };
    const { run, branch } = controlsOf(take({}), at(5, true, { obstacle }));
    expect([run.ready, run.said, branch.ready]).toEqual([false, "unknown word: bal", false]);
  });

  it("start, resume and retry", () => {
    const go = (change: Partial<Take>) => controlsOf(take(change), at(null, false)).go?.label;
    expect(go({ step: 0 })).toBe("Start");
    expect(go({ step: 5, branch_step: 5 })).toBe("Start");
    expect(go({ step: 6, branch_step: 5 })).toBe("Resume");
    expect(go({ status: "failed" })).toBe("Retry");
    expect(go({ status: "finished" })).toBeUndefined();
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
