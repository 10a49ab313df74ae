/** What runs and what waits, over all projects; one's own can be moved and taken out. */
import { useEffect, useRef, useState } from "react";
import { answer, api, CLIENT, type Queue } from "../api/client";
import { keys, queryClient, useProjects, useQueue, useTakesOf } from "../api/queries";
import { useSession } from "../desk/session";
import { stopTake } from "../run/actions";
import { Button, IconButton } from "../ui/Button";
import { attempt } from "../ui/toasts";
import { reordered } from "./order";
import { toldOf } from "./queued";

const know = (queue: Queue) => queryClient.setQueryData(keys.queue, queue);

async function pauseQueue(paused: boolean): Promise<void> {
  know(await answer(paused ? api.POST("/api/queue/pause") : api.POST("/api/queue/resume")));
}

export function QueueMenu() {
  const queue = useQueue().data;
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  const followed = useSession((session) => session.project);
  const takes = useTakesOf(open && queue ? queue.entries.map(({ project }) => project) : [], followed);
  const projects = useProjects().data?.projects ?? [];
  if (!queue || (queue.entries.length === 0 && !queue.paused)) return null;
  const own = queue.entries.filter(({ client, position }) => client === CLIENT && position !== null);
  const order = (take: string, by: 1 | -1) =>
    attempt(async () => {
      const takes = reordered(
        own.map((entry) => entry.take),
        take,
        by,
      );
      know(await answer(api.PUT("/api/queue/order", { body: { takes } })));
    });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what is open inside
    <div className="menu" ref={root} onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
      <Button tone="quiet" icon="queue" aria-expanded={open} onClick={() => setOpen(!open)}>
        Queue {queue.entries.length}
        {queue.paused && ", paused"}
      </Button>
      {open && (
        <div className="menu-list menu-right queue-list" role="group" aria-label="Queue">
          <ol>
            {queue.entries.map((entry) => {
              const mine = entry.client === CLIENT;
              const place = own.indexOf(entry);
              const told = toldOf(entry, takes, projects);
              return (
                <li key={entry.take}>
                  <i className="status" data-status={entry.status} />
                  <span className="queued" title={told.prompt}>
                    <b>
                      {entry.name}
                      {told.prompt && <q>{told.prompt}</q>}
                    </b>
                    <small>
                      {[told.project, told.left, mine ? "" : "another desk’s"].filter(Boolean).join(" · ")}
                    </small>
                  </span>
                  {place >= 0 && (
                    <>
                      <IconButton
                        icon="up"
                        size={13}
                        label={`${entry.name} sooner`}
                        disabled={place === 0}
                        onClick={() => order(entry.take, -1)}
                      />
                      <IconButton
                        icon="down"
                        size={13}
                        label={`${entry.name} later`}
                        disabled={place === own.length - 1}
                        onClick={() => order(entry.take, 1)}
                      />
                    </>
                  )}
                  {mine && (
                    <IconButton
                      icon="close"
                      size={13}
                      label={`Stop ${entry.name}`}
                      onClick={() => attempt(() => stopTake(entry.take))}
                    />
                  )}
                </li>
              );
            })}
          </ol>
          <Button tone="quiet" onClick={() => attempt(() => pauseQueue(!queue.paused))}>
            {queue.paused ? "Begin takes again" : "Begin no further take"}
          </Button>
        </div>
      )}
    </div>
  );
}
