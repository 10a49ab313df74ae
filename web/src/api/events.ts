/** One stream of events for the open project, folded into what the queries keep. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { create } from "zustand";
import { BASE } from "./base";
import type { Step, StudioEvent } from "./client";
import { heardOf, type TakeList, withStep, withStepTaken, withTake } from "./folding";
import { fetchTakes, keys } from "./queries";

interface Line {
  /** Whether the stream is open; null before it ever was. */
  open: boolean | null;
}

export const useLine = create<Line>(() => ({ open: null }));

const KINDS = ["project", "shot", "take", "step", "queue"] as const;

/** Folds one event into the cache. */
export function fold(client: QueryClient, project: string, event: StudioEvent): void {
  const changeTakes = (change: (list: TakeList) => TakeList) =>
    client.setQueryData<TakeList>(keys.takes(project), (list) => list && heardOf(change(list), event.id));
  switch (event.kind) {
    case "take":
      changeTakes((list) => withTake(list, event.take));
      // Pausing and finishing bring the decoded look of the step.
      if (["paused", "finished", "stopped"].includes(event.take.status))
        void client.invalidateQueries({ queryKey: keys.steps(event.take.id) });
      void client.invalidateQueries({ queryKey: keys.queue });
      // A project tells how many takes it has.
      void client.invalidateQueries({ queryKey: keys.projects });
      break;
    case "step":
      changeTakes((list) => withStepTaken(list, event));
      client.setQueryData<{ steps: Step[] }>(keys.steps(event.take), (known) => {
        if (!known) return known;
        const { step, preview, kept, seconds } = event;
        return {
          steps: withStep(known.steps, { step, preview, kept, seconds, look: null, inherited: false }),
        };
      });
      break;
    case "shot":
      void client.invalidateQueries({ queryKey: keys.shots(project) });
      break;
    case "queue":
      void client.invalidateQueries({ queryKey: keys.queue });
      break;
    case "project":
      void client.invalidateQueries({ queryKey: keys.projects });
      break;
  }
}

/** Follows the project's stream; every event once, also over lost lines. */
export function useEvents(project: string | null, heard: (event: StudioEvent) => void): void {
  const client = useQueryClient();
  useEffect(() => {
    if (project === null) return;
    let stream: EventSource | null = null;
    let timer: number | undefined;
    let last = 0;
    let over = false;
    const receive = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as StudioEvent;
      if (event.id <= last) return;
      last = event.id;
      fold(client, project, event);
      heard(event);
    };
    const open = () => {
      if (over) return;
      stream = new EventSource(`${BASE}/api/projects/${project}/events?after=${last}`);
      stream.onopen = () => {
        const cut = useLine.getState().open === false;
        useLine.setState({ open: true });
        // Events come again by themselves; what is not told by events is asked anew.
        if (cut)
          for (const queryKey of [keys.health, keys.queue, keys.projects, keys.shots(project)])
            void client.invalidateQueries({ queryKey });
      };
      stream.onerror = () => {
        useLine.setState({ open: false });
        // The browser reconnects by itself, except after an answer that was no stream.
        if (stream?.readyState === EventSource.CLOSED) timer = window.setTimeout(open, 1000);
      };
      for (const kind of KINDS) stream.addEventListener(kind, receive);
    };
    client
      .fetchQuery({ queryKey: keys.takes(project), queryFn: () => fetchTakes(project), staleTime: 0 })
      .then((list) => {
        last = list.last_event;
        open();
      })
      .catch(() => {
        timer = window.setTimeout(open, 1000);
      });
    return () => {
      over = true;
      stream?.close();
      window.clearTimeout(timer);
    };
  }, [project, client, heard]);
}
