/** What can be done next, on three buttons, and which of them is the one that a person most likely wants. */
import type { Take } from "../api/client";
import { ownSteps } from "./words";

export type Primary =
  | { act: "run"; label: string; hint: string }
  | { act: "pause"; label: string; hint: string; take: string }
  | { act: "play"; label: string; hint: string; take: string }
  | { act: "branch"; label: string; hint: string; take: string; at: number };

export interface Way {
  /** Second line of the button: where it starts, or why it cannot. */
  said: string;
  /** In full. */
  hint: string;
}

export interface Controls {
  run: Way & { ready: boolean };
  branch: Way & ({ ready: true; take: string; at: number } | { ready: false });
  /** Pause or go on with the take that is looked at; null where it can do neither. */
  go: Extract<Primary, { act: "pause" | "play" }> | null;
  primary: Primary;
}

export interface Circumstances {
  /** null: where the take stands. */
  step: number | null;
  /** Whether the desk asks for something else than the take shows. */
  changed: boolean;
  /** Whether takes are running or waiting. */
  busy: boolean;
  /** Why the shot on the desk cannot be run. */
  obstacle: { brief: string; sentence: string } | null;
  /** What the desk has otherwise, that no branch can change, such as "the model". */
  fixed: string | null;
}

/** The kept step to branch at for a wanted one: it, else the last kept before it. */
export function branchPoint(kept: readonly number[], wanted: number): number {
  return kept.reduce((best, step) => (step <= wanted && step > best ? step : best), 0);
}

function branchOf(take: Take | null, { step, obstacle, fixed }: Circumstances): Controls["branch"] {
  const no = (said: string, hint: string) => ({ ready: false as const, said, hint });
  if (!take) return no("choose a take first", "A branch keeps the first steps of a take: choose one below.");
  const name = take.name;
  if (!take.kept_steps.some((kept) => kept > 0))
    return no(`${name} has no steps yet`, `${name} has no step yet that a branch could start from.`);
  const at = branchPoint(take.kept_steps, step ?? take.step);
  if (at === 0)
    return no("click a later step", `From step 0 it would be a new take: click a later step of ${name}.`);
  if (take.steps && at >= take.steps)
    return no(
      "click an earlier step",
      `${name} is complete: click one of its steps below, then branch there.`,
    );
  if (obstacle) return no(obstacle.brief, obstacle.sentence);
  if (fixed)
    return no(
      `${fixed} changed`,
      `A branch keeps ${fixed} of its take, and that was changed on the desk: make a new take instead.`,
    );
  return {
    ready: true,
    said: `from step ${at} of ${name}`,
    hint: `Keeps the first ${at} steps of ${name} and runs the rest with what is on the desk now. ${name} stays as it is.`,
    take: take.id,
    at,
  };
}

function runOf({ busy, obstacle }: Circumstances): Controls["run"] {
  if (obstacle) return { ready: false, said: obstacle.brief, hint: obstacle.sentence };
  return busy
    ? { ready: true, said: "from step 0, in line", hint: "Puts a new take of this shot into the queue" }
    : { ready: true, said: "from step 0", hint: "Runs this shot from the start, as a new take" };
}

function goOf(take: Take | null): Controls["go"] {
  if (!take || take.status === "finished") return null;
  if (take.status === "running" || take.status === "queued")
    return {
      act: "pause",
      label: "Pause",
      hint:
        take.status === "running"
          ? "Pauses after the step it is in; Resume goes on from there"
          : "Takes it out of the queue; Resume puts it back",
      take: take.id,
    };
  const label = take.status === "failed" ? "Retry" : ownSteps(take) > 0 ? "Resume" : "Start";
  return { act: "play", label, hint: `${take.name} goes on after step ${take.step}`, take: take.id };
}

/**
 * Of a take at a step under a shot that is or is not the take's own. The likeliest act: a take that runs is paused;
 * one looked at in an earlier step, or under a changed shot, is branched; one that stands goes on; else a new take
 * is made: also of a shot changed at the last step, where no step is left for the change to act in.
 */
export function controlsOf(take: Take | null, circumstances: Circumstances): Controls {
  const { step, changed } = circumstances;
  const branch = branchOf(take, circumstances);
  const run = runOf(circumstances);
  const go = goOf(take);
  const asRun: Primary = { act: "run", label: "New take", hint: run.hint };
  const asBranch: Primary = branch.ready
    ? { act: "branch", label: "Branch", hint: branch.hint, take: branch.take, at: branch.at }
    : asRun;
  const back = take !== null && step !== null && (step < take.step || (changed && step > 0));
  const primary = back ? asBranch : go?.act === "pause" ? go : changed ? asBranch : (go ?? asRun);
  return { run, branch, go, primary: take?.status === "finished" && !back ? asRun : primary };
}
