/** Where a take stands, in words. */
import type { Queue, Take } from "../api/client";
import { remaining } from "./remaining";

/** 1st, 2nd, 3rd, 4th, 11th... */
export function ordinal(number: number): string {
  const tens = number % 100;
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}

/** A place in the queue: how many wait before it, 0 for the one that is begun next. */
export const inLine = (place: number): string =>
  place === 0 ? "next in line" : `${ordinal(place + 1)} in line`;

export interface Line {
  /** How many takes wait before this one, of all projects; null where that is not known. */
  place: number | null;
  /** Whether a person holds the queue. */
  held: boolean;
  /** Whether another take runs. */
  busy: boolean;
}

/** Whether a take that was just made waits for others: those of its project, and what the queue tells of all. */
export function hasToWait(made: Take, takes: readonly Take[], entries: Queue["entries"]): boolean {
  if (made.status !== "queued") return false;
  if ((made.queue_position ?? 0) > 0) return true;
  // Of its own project the list of takes knows sooner than the queue.
  const others = entries.filter(({ project }) => project !== made.project);
  return [...takes, ...others].some(({ status }) => status === "running");
}

/** Steps that are its own: a branch takes over those of its parent. */
export const ownSteps = (take: Take): number => take.step - (take.branch_step ?? 0);

const begun = (take: Take): boolean => ownSteps(take) > 0;

const at = (take: Take): string => (take.steps ? `step ${take.step} of ${take.steps}` : `step ${take.step}`);

function waiting(take: Take, { place, held, busy }: Line): string {
  const after = take.error ? `, goes on after step ${take.step}` : "";
  if (held) return `waiting: the queue is on hold${after}`;
  if (place === 0 && !busy) return `about to start${after}`;
  return `waiting${place === null ? "" : `, ${inLine(place)}`}${after}`;
}

/** The state of a take in a few words, to be read after its name. */
export function stateOf(take: Take, line: Line): string {
  switch (take.status) {
    case "queued":
      return waiting(take, line);
    case "running":
      if (!take.steps) return "getting ready";
      return `${at(take)}${take.seconds_left ? ` · ${remaining(take.seconds_left)}` : ""}`;
    case "finished":
      return `finished, ${take.steps} steps`;
    case "paused":
      return begun(take) ? `paused at ${at(take)}` : "not started";
    case "stopped":
      return begun(take) ? `cancelled at ${at(take)}` : "cancelled, not started";
    case "failed":
      return begun(take) ? `failed after ${at(take)}` : "failed before its first step";
    case "interrupted":
      return begun(take) ? `interrupted at ${at(take)}` : "interrupted before its first step";
  }
}
