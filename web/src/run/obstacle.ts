/** Why the shot on the desk cannot be run, as the server said when it was saved. */
import type { Model, ShotProblem } from "../api/client";
import type { Shot } from "../document/shot";

export interface Obstacle {
  /** In a few words, to stand on a button. */
  brief: string;
  /** In full, with what to do about it. */
  sentence: string;
}

const BRIEF: readonly (readonly [RegExp, string])[] = [
  [/^prompt$/, "fix the prompt first"],
  [/^instructions/, "fix an instruction first"],
  [/^model$/, "choose a model first"],
];

/** The first of the problems of the shot on the desk; null where there is none. */
export function obstacleOf([first, ...more]: readonly ShotProblem[]): Obstacle | null {
  if (!first) return null;
  const brief = BRIEF.find(([field]) => field.test(first.field))?.[1] ?? "fix a setting first";
  const rest = more.length ? ` (and ${more.length} more)` : "";
  return { brief, sentence: first.sentence + rest };
}

const DEFAULTED = ["frames", "width", "height", "steps", "scheduler"] as const;

/** What the desk has otherwise than a take, that no branch after its start can change; null for nothing. */
export function keptByBranches(before: Shot, now: Shot, model: Model | undefined): string | null {
  if ((before.model ?? model?.name) !== (now.model ?? model?.name)) return "the model";
  const defaults = model?.defaults;
  const differs = DEFAULTED.find((name) => {
    const [was, is] = [before[name] ?? defaults?.[name], now[name] ?? defaults?.[name]];
    return was !== undefined && is !== undefined && was !== is;
  });
  if (!differs) return null;
  return differs === "frames" || differs === "steps" ? `the number of ${differs}` : `the ${differs}`;
}
