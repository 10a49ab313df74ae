/** What is said of a take in the queue: its words, where it belongs, how long it takes. */
import type { Project, Queue, Take } from "../api/client";
import { remaining } from "../run/remaining";

export interface Told {
  prompt: string;
  project: string;
  /** Empty where it is not known. */
  left: string;
}

const LONGEST = 60;

const shortened = (words: string): string =>
  words.length <= LONGEST ? words : `${words.slice(0, LONGEST - 1).trimEnd()}…`;

/** takes: as far as they are known, of whichever projects. */
export function toldOf(
  entry: Queue["entries"][number],
  takes: readonly Take[],
  projects: readonly Project[],
): Told {
  const take = takes.find(({ id }) => id === entry.take);
  const seconds = take?.seconds_left;
  const left =
    seconds == null
      ? ""
      : entry.status === "running"
        ? remaining(seconds)
        : `${remaining(seconds)} once it runs`;
  return {
    prompt: shortened(take?.prompt ?? ""),
    project: projects.find(({ id }) => id === entry.project)?.name ?? "",
    left: left || (entry.status === "running" ? "running" : ""),
  };
}
