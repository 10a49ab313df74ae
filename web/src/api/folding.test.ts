import { describe, expect, it } from "vitest";
import type { Step, StepTaken, Strip, Take } from "./client";
import { heardOf, type TakeList, withAnswer, withStep, withSteps, withStepTaken, withTake } from "./folding";

const strip = (digest: string): Strip => ({ digest, frames: 1, columns: 1, width: 8, height: 8 });

const take = (change: Partial<Take> = {}): Take =>
  ({
    id: "a",
    created: 1,
    status: "queued",
    revision: 3,
    step: 0,
    steps: 8,
    preview: null,
    look: null,
    kept_steps: [0],
    queue_position: 0,
    deleted: false,
    ...change,
  }) as Take;

const stepTaken = (step: number, change: Partial<StepTaken> = {}): StepTaken =>
  ({
    kind: "step",
    id: 10 + step,
    take: "a",
    step,
    steps: 8,
    kept: true,
    preview: strip(`step ${step}`),
    seconds: 1,
    seconds_left: 8 - step,
    ...change,
  }) as StepTaken;

const list = (takes: Take[], last_event = 10): TakeList => ({ takes, last_event });
const only = ({ takes }: TakeList) => takes[0] as Take;

describe("an answer that is older than what was heard", () => {
  it("does not queue a take again that runs", () => {
    const queued = list([take()]);
    const running = withTake(queued, take({ status: "running", revision: 4 }));
    expect(only(withTake(running, take({ status: "queued", revision: 3 }))).status).toBe("running");
  });

  it("does not take steps back: every step counts the revision", () => {
    const running = list([take({ status: "running", revision: 4 })]);
    const stepped = withStepTaken(withStepTaken(running, stepTaken(0)), stepTaken(1));
    expect(only(stepped)).toMatchObject({ step: 1, revision: 6 });
    expect(withTake(stepped, take({ status: "queued", revision: 3 }))).toBe(stepped);
    expect(withTake(stepped, take({ status: "running", revision: 5, step: 0 }))).toBe(stepped);
    // What comes next is newer.
    expect(only(withTake(stepped, take({ status: "paused", revision: 7, step: 1 }))).status).toBe("paused");
  });

  it("does not bring a take back from the bin, but restoring it does", () => {
    const deleted = withTake(list([take()]), take({ deleted: true, revision: 5 }));
    expect(deleted.takes).toEqual([]);
    expect(withTake(deleted, take({ revision: 4 })).takes).toEqual([]);
    expect(withTake(deleted, take({ revision: 6 })).takes).toHaveLength(1);
  });
});

describe("an event that is older than an answer", () => {
  it("does not set a paused take to a step it has done before", () => {
    const paused = list([take({ status: "paused", revision: 9, step: 5, preview: strip("step 5") })]);
    expect(withStepTaken(paused, stepTaken(4))).toBe(paused);
    expect(withStepTaken(paused, stepTaken(5))).toBe(paused);
  });
});

describe("a step", () => {
  it("is done by a take that runs, whatever was known of it", () => {
    const known = list([take({ status: "interrupted", error: "its worker died", queue_position: 2 })]);
    expect(only(withStepTaken(known, stepTaken(1)))).toMatchObject({
      status: "running",
      error: null,
      notes: [],
      queue_position: null,
      kept_steps: [0, 1],
    });
  });

  it("that comes again keeps its decoded look", () => {
    const looked = { step: 2, preview: strip("p"), look: strip("l") } as Step;
    expect(withStep([looked], { ...looked, look: null })[0]?.look).toEqual(strip("l"));
  });
});

describe("a list that was asked for", () => {
  it("does not undo what was heard while it was on its way", () => {
    const heard = heardOf(withTake(list([take()]), take({ status: "running", revision: 4 })), 12);
    expect(withAnswer(heard, list([take()], 11))).toBe(heard);
    expect(only(withAnswer(heard, list([take({ status: "paused", revision: 5 })], 13))).status).toBe(
      "paused",
    );
  });

  it("keeps answers to commands that are newer, and forgets what is not there", () => {
    const known = list([take({ revision: 8, name: "new" }), take({ id: "b", created: 2 })], 10);
    const asked = withAnswer(known, list([take({ revision: 7 })], 12));
    expect(asked.takes.map(({ id, revision }) => [id, revision])).toEqual([["a", 8]]);
    expect(asked.last_event).toBe(12);
  });

  it("of steps lacks none that was heard of", () => {
    const step = (number: number) => ({ step: number }) as Step;
    expect(withSteps([step(0), step(1), step(2)], [step(0), step(1)]).map((each) => each.step)).toEqual([
      0, 1, 2,
    ]);
  });
});
