/** Whether two shots ask for the same, however much of them is written out. */
import type { Shot } from "./shot";

/** Values that a field has where it is left out. */
const DEFAULTS: Record<string, unknown> = {
  easing: "linear",
  opacity: 1,
  start: 0,
  end: 1,
  time: 0,
  role: "target",
  version: 1,
  colour: "#000000",
};

/** Where an empty list says nowhere, which is not what is decided where nothing is said. */
const NOWHERE = new Set(["mask_sites", "normalization_sites"]);

function plain(value: unknown, inKeyframe: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, true));
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value)
    .map(([key, inner]) => [key, plain(inner, false)] as const)
    .filter(([key, inner]) => {
      if (inner === null || inner === undefined || inner === false) return false;
      if (typeof inner === "object" && Object.keys(inner).length === 0) return NOWHERE.has(key);
      // A keyframe's own time and easing say something also where they are the default.
      if (inKeyframe && (key === "time" || key === "easing")) return true;
      return DEFAULTS[key] !== inner;
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(kept);
}

/** The shot as text, what is left to defaults left out; the seed too where it does not matter. */
export function fingerprint(shot: Shot, withSeed = true): string {
  const { seed, ...rest } = shot;
  return JSON.stringify(plain(withSeed ? { ...rest, seed: seed ?? 0 } : rest, false));
}
