/** Easings as a person calls them. */
import type { Easing } from "../document/shot";

export const EASING_NAMES: Record<Easing, string> = {
  linear: "Even",
  "ease-in": "Ease in",
  "ease-out": "Ease out",
  "ease-in-out": "Ease in and out",
  hold: "Hold, then jump",
};
