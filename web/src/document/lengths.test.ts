import { expect, it } from "vitest";
import { beyondModel } from "./lengths";
import { EXAMPLE } from "./shot";

const maker = (name: string, max_frames: number | null) => ({
  name,
  limits: { max_frames },
});
const models = [maker("short", 16), maker("long", 49), maker("endless", null)];

it("a clip longer than its model makes says how long that is, and who makes as many", () => {
  const of = (frames: number | null, name: string) =>
    beyondModel(
      { ...EXAMPLE, frames },
      models.find((model) => model.name === name),
      models,
    );
  expect(of(40, "short")).toEqual({ asked: 40, most: 16, models: ["long", "endless"] });
  expect(of(60, "long")).toEqual({ asked: 60, most: 49, models: ["endless"] });
  for (const [frames, name] of [
    [16, "short"],
    [null, "short"],
    [4000, "endless"],
    [40, "unknown"],
  ] as const)
    expect(of(frames, name)).toBeNull();
});
