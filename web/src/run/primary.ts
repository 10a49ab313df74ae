/** What the one big button does next. */
import type { Take } from "../api/client";

export type Primary =
  | { act: "run"; label: string; hint: string }
  | { act: "pause"; label: string; hint: string; take: string }
  | { act: "play"; label: string; hint: string; take: string }
  | { act: "branch"; label: string; hint: string; take: string; at: number };

/** The kept step to branch at for a wanted one: it, else the last kept before it. */
export function branchPoint(kept: readonly number[], wanted: number): number {
  return kept.reduce((best, step) => (step <= wanted && step > best ? step : best), 0);
}

/**
 * Of a take at a step (null: where it stands) under a shot that is or is not the take's own.
 * A take that runs can be paused; one looked at in an earlier step, or under a changed shot, branches; one
 * that stands plays on; else a new take is made: also of a shot changed at the last step, where no step is left
 * for the change to act in.
 */
export function primaryOf(take: Take | null, step: number | null, changed: boolean): Primary {
  const run: Primary = { act: "run", label: "Run", hint: "Make a new take of this shot" };
  if (!take) return run;
  const live = take.status === "running" || take.status === "queued";
  if (step !== null && (step < take.step || (changed && step > 0))) {
    const at = branchPoint(take.kept_steps, step);
    if (changed && at === take.steps) return run;
    return {
      act: "branch",
      label: `Branch at ${at}`,
      hint: `Keep the first ${at} steps of ${take.name} and play on with the shot on the desk`,
      take: take.id,
      at,
    };
  }
  if (live) return { act: "pause", label: "Pause", hint: "Pause after the step it is in", take: take.id };
  if (take.status === "finished") return run;
  if (changed) {
    const at = branchPoint(take.kept_steps, take.step);
    if (at > 0)
      return {
        act: "branch",
        label: `Branch at ${at}`,
        hint: `${take.name} is kept as it is; the changed shot plays on from step ${at}`,
        take: take.id,
        at,
      };
    return run;
  }
  return {
    act: "play",
    label: take.status === "failed" ? "Try again" : "Play on",
    hint: `${take.name} goes on after step ${take.step}`,
    take: take.id,
  };
}
