/** Where a take stands in the queue of all projects, as the queue itself says. */
import type { Take } from "../api/client";
import { useQueue } from "../api/queries";
import type { Line } from "./words";

export function useLineOf(take: Take | null): Line {
  const queue = useQueue().data;
  const entry = queue?.entries.find((candidate) => candidate.take === take?.id);
  return {
    place: entry?.position ?? take?.queue_position ?? null,
    held: queue?.paused ?? false,
    busy:
      queue?.entries.some(({ status, take: other }) => status === "running" && other !== take?.id) ?? false,
  };
}
