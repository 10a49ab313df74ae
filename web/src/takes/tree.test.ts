import { describe, expect, it } from "vitest";
import type { Take } from "../api/client";
import { withStep, withTake } from "../api/folding";
import { reordered } from "./order";
import { lanesOf } from "./tree";

const take = (id: string, parent: string | null, branch_step: number | null, created: number): Take =>
  ({ id, parent, branch_step, created, deleted: false }) as Take;

const TAKES = [
  take("a", null, null, 1),
  take("b", null, null, 2),
  take("c", "a", 5, 3),
  take("d", "c", 9, 4),
  take("e", "a", 2, 5),
];

describe("lanes", () => {
  it("put branches under their parent, in the order they were made", () => {
    const lanes = lanesOf(TAKES);
    expect(lanes.map(({ take: { id } }) => id)).toEqual(["a", "c", "d", "e", "b"]);
    expect(lanes.map(({ depth }) => depth)).toEqual([0, 1, 2, 1, 0]);
    expect(lanes.map(({ parentRow }) => parentRow)).toEqual([null, 0, 1, 0, null]);
    expect(lanes.map(({ from }) => from)).toEqual([0, 5, 9, 2, 0]);
  });

  it("keep a branch whose parent is in the bin", () => {
    expect(lanesOf(TAKES.filter(({ id }) => id !== "a")).map(({ take: { id } }) => id)).toEqual([
      "b",
      "c",
      "d",
      "e",
    ]);
  });

  it("hold a thousand takes in one chain", () => {
    const chain = Array.from({ length: 1000 }, (_, i) =>
      take(`t${i}`, i ? `t${i - 1}` : null, i ? 1 : null, i),
    );
    expect(lanesOf(chain)).toHaveLength(1000);
  });
});

describe("the stream", () => {
  it("replaces, adds and removes takes", () => {
    const list = { takes: TAKES, last_event: 0 };
    expect(withTake(list, { ...(TAKES[0] as Take), name: "new" }).takes[0]?.name).toBe("new");
    expect(withTake(list, take("f", null, null, 6)).takes).toHaveLength(6);
    expect(withTake(list, { ...(TAKES[1] as Take), deleted: true }).takes).toHaveLength(4);
    expect(list.takes).toHaveLength(5);
  });

  it("takes a step that comes twice once", () => {
    const step = (number: number) => ({ step: number, preview: null }) as never;
    expect(withStep(withStep([step(0), step(2)], step(1)), step(1)).map(({ step }) => step)).toEqual([
      0, 1, 2,
    ]);
  });
});

it("one's own takes change places in the queue", () => {
  expect(reordered(["a", "b", "c"], "b", -1)).toEqual(["b", "a", "c"]);
  expect(reordered(["a", "b", "c"], "c", 1)).toEqual(["a", "b", "c"]);
  expect(reordered(["a", "b"], "x", 1)).toEqual(["a", "b"]);
});
