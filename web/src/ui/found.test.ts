import { expect, it } from "vitest";
import { found } from "./found";

const SHOTS = [
  { label: "Opening", hint: "a red ball over the sea" },
  { label: "Red ball, copy" },
  { label: "Night", hint: "a blue boat" },
];

it("words find names first, then what is said", () => {
  expect(found(SHOTS, "ball RED").map(({ label }) => label)).toEqual(["Red ball, copy", "Opening"]);
  expect(found(SHOTS, "night boat").map(({ label }) => label)).toEqual(["Night"]);
  expect(found(SHOTS, "  ")).toEqual(SHOTS);
  expect(found(SHOTS, "kite")).toEqual([]);
});
