import { expect, it } from "vitest";
import type { Queue, Take } from "../api/client";
import { hasToWait, inLine, ordinal, stateOf } from "./words";

const take = (change: Partial<Take>): Take =>
  ({
    name: "Take 1",
    status: "queued",
    step: 0,
    steps: 10,
    branch_step: null,
    error: null,
    ...change,
  }) as Take;
const line = { place: 1, held: false, busy: true };

it("counts places as a person does", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 111].map(ordinal)).toEqual([
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "22nd",
    "111th",
  ]);
  expect([0, 1, 2].map(inLine)).toEqual(["next in line", "2nd in line", "3rd in line"]);
});

it("says of a take that waits where in the line it is", () => {
  expect(stateOf(take({}), line)).toBe("waiting, 2nd in line");
  expect(stateOf(take({}), { ...line, place: 0 })).toBe("waiting, next in line");
  expect(stateOf(take({}), { ...line, place: 0, busy: false })).toBe("about to start");
  expect(stateOf(take({}), { ...line, held: true })).toBe("waiting: the queue is on hold");
  expect(stateOf(take({ step: 3, error: "the worker died" }), line)).toBe(
    "waiting, 2nd in line, goes on after step 3",
  );
});

it("says that a take has not started, also a branch that stands on its parent's steps", () => {
  expect(stateOf(take({ status: "paused" }), line)).toBe("not started");
  expect(stateOf(take({ status: "paused", step: 4, branch_step: 4 }), line)).toBe("not started");
  expect(stateOf(take({ status: "stopped" }), line)).toBe("cancelled, not started");
  expect(stateOf(take({ status: "failed" }), line)).toBe("failed before its first step");
  expect(stateOf(take({ status: "paused", step: 5, branch_step: 4 }), line)).toBe("paused at step 5 of 10");
});

it("says how far a take is and how long it takes", () => {
  expect(stateOf(take({ status: "running", steps: 0 }), line)).toBe("getting ready");
  expect(stateOf(take({ status: "running", step: 3, seconds_left: 7 }), line)).toBe(
    "step 3 of 10 · 7 s left",
  );
});

it("lets a new take wait behind others only, also where the stream tells of it before the answer does", () => {
  const made = take({ id: "new", project: "p", queue_position: 0 });
  const other = take({ id: "old", project: "p", status: "running" });
  const away = { project: "elsewhere", status: "running" } as Queue["entries"][number];
  expect(hasToWait(made, [made], [])).toBe(false);
  expect(hasToWait(made, [made, other], [])).toBe(true);
  expect(hasToWait(made, [made], [away])).toBe(true);
  expect(hasToWait({ ...made, queue_position: 2 }, [made], [])).toBe(true);
  const begun = { ...made, status: "running" as const };
  expect(hasToWait(begun, [begun], [])).toBe(false);
  expect(hasToWait({ ...made, status: "finished" }, [], [])).toBe(false);
  // What the queue says of its own project may be of a moment ago.
  expect(hasToWait(made, [made], [{ ...away, project: "p" }])).toBe(false);
});
