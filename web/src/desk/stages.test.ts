import { expect, it } from "vitest";
import type { Take } from "../api/client";
import { arrival, type Left } from "./stages";

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
