/**
 * The list of takes and the steps of a take, as events and answers change them. An answer may come after events
 * that were later than it, so what is older than what is known changes nothing. A take's revision counts every
 * change of it, its steps too.
 */
import type { Step, StepTaken, Take } from "./client";

export interface TakeList {
  takes: Take[];
  /** The last event that is in it. */
  last_event: number;
  /** The revisions at which takes went into the bin, so that an older answer does not bring one back. */
  gone?: Record<string, number>;
}

/** The list of takes after a take was made or changed. */
export function withTake(list: TakeList, take: Take): TakeList {
  const place = list.takes.findIndex((other) => other.id === take.id);
  const known = list.takes[place]?.revision ?? list.gone?.[take.id] ?? 0;
  if (take.revision < known) return list;
  if (take.deleted)
    return {
      ...list,
      takes: list.takes.filter((other) => other.id !== take.id),
      gone: { ...list.gone, [take.id]: take.revision },
    };
  const takes = [...list.takes];
  if (place >= 0) takes[place] = take;
  else takes.push(take);
  return { ...list, takes: takes.sort((a, b) => a.created - b.created) };
}

/** The list after a take has done a step. Steps follow each other, so one that is not ahead is known already. */
export function withStepTaken(list: TakeList, event: StepTaken): TakeList {
  const take = list.takes.find((candidate) => candidate.id === event.take);
  if (!take || event.step < take.step) return list;
  if (event.step === take.step && take.preview?.digest === event.preview.digest) return list;
  const kept = event.kept ? [...new Set([...take.kept_steps, event.step])] : take.kept_steps;
  return withTake(list, {
    ...take,
    // Only a take that runs does a step.
    status: "running",
    queue_position: null,
    error: null,
    notes: [],
    revision: take.revision + 1,
    step: event.step,
    steps: event.steps,
    preview: event.preview,
    look: null,
    kept_steps: kept,
    seconds_left: event.seconds_left,
    seconds_per_step: event.seconds,
  });
}

/** The list after an event of this number. */
export const heardOf = (list: TakeList, event: number): TakeList =>
  event > list.last_event ? { ...list, last_event: event } : list;

/** The list as asked for, where events may have been heard while the answer was on its way. */
export function withAnswer(known: TakeList | undefined, asked: TakeList): TakeList {
  if (!known) return asked;
  if (asked.last_event < known.last_event) return known;
  const takes = asked.takes
    .filter((take) => take.revision >= (known.gone?.[take.id] ?? 0))
    .map((take) => {
      const other = known.takes.find((candidate) => candidate.id === take.id);
      return other && other.revision > take.revision ? other : take;
    });
  return { ...asked, takes, ...(known.gone ? { gone: known.gone } : {}) };
}

/** The steps of a take after one more; one that comes again replaces itself, but for its decoded look. */
export function withStep(steps: Step[], step: Step): Step[] {
  const look = step.look ?? steps.find((other) => other.step === step.step)?.look ?? null;
  const others = steps.filter((other) => other.step !== step.step);
  return [...others, { ...step, look }].sort((a, b) => a.step - b.step);
}

/** The steps as asked for, and those that were heard of while the answer was on its way: no step is ever undone. */
export function withSteps(known: Step[] | undefined, asked: Step[]): Step[] {
  const told = new Set(asked.map(({ step }) => step));
  return [...asked, ...(known ?? []).filter(({ step }) => !told.has(step))].sort((a, b) => a.step - b.step);
}
