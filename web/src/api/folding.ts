/** The list of takes and the steps of a take, as events change them. */
import type { Step, Take } from "./client";

export interface TakeList {
  takes: Take[];
  last_event: number;
}

/** The list of takes after a take was made or changed. */
export function withTake(list: TakeList, take: Take): TakeList {
  const takes = list.takes.filter((other) => other.id !== take.id || !take.deleted);
  const place = takes.findIndex((other) => other.id === take.id);
  if (place >= 0) takes[place] = take;
  else if (!take.deleted) takes.push(take);
  return { ...list, takes: takes.sort((a, b) => a.created - b.created) };
}

/** The steps of a take after one more; a step that comes again replaces itself. */
export function withStep(steps: Step[], step: Step): Step[] {
  return [...steps.filter((other) => other.step !== step.step), step].sort((a, b) => a.step - b.step);
}
