/** What is said of a take in the queue: its words, where it belongs, its place, how long it takes. */
import type { Project, Queue } from "../api/client";
import { remaining } from "../run/remaining";
import { inLine } from "../run/words";

export interface Told {
  prompt: string;
  project: string;
  place: string;
  /** Empty where it is not known. */
  left: string;
}

const LONGEST = 60;

const shortened = (words: string): string =>
  words.length <= LONGEST ? words : `${words.slice(0, LONGEST - 1).trimEnd()}…`;

function placeOf({ position, asked, step, steps }: Queue["entries"][number], held: boolean): string {
  if (asked) return asked === "paused" ? "Pausing…" : "Cancelling…";
  if (position === null) return steps ? `running, step ${step} of ${steps}` : "getting ready";
  return held ? `on hold, ${inLine(position)}` : inLine(position);
}

export function toldOf(entry: Queue["entries"][number], projects: readonly Project[], held: boolean): Told {
  const seconds = entry.seconds_left;
  const left =
    seconds == null
      ? ""
      : entry.position === null
        ? remaining(seconds)
        : `${remaining(seconds)} once it runs`;
  return {
    prompt: shortened(entry.prompt),
    project: projects.find(({ id }) => id === entry.project)?.name ?? "",
    place: placeOf(entry, held),
    left,
  };
}
