/** What runs and what waits, over all projects; one's own can be moved and taken out. */
import { useEffect, useRef, useState } from "react";
import { answer, api, CLIENT, type Queue } from "../api/client";
import { keys, queryClient, useProjects, useQueue } from "../api/queries";
import { stopTake } from "../run/actions";
import { DOING, useAsked } from "../run/doing";
import { attempt } from "../session/attempt";
import { Button, IconButton } from "../ui/Button";
import { reordered } from "./order";
import { toldOf } from "./queued";

const know = (queue: Queue) => queryClient.setQueryData(keys.queue, queue);

async function holdQueue(held: boolean): Promise<void> {
  know(await answer(held ? api.POST("/api/queue/pause") : api.POST("/api/queue/resume")));
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
  const projects = useProjects().data?.projects ?? [];
  const asked = useAsked(({ takes }) => takes);
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
      <Button
        tone="quiet"
        icon="queue"
        aria-expanded={open}
        title="Takes that run and wait, of all projects"
        onClick={() => setOpen(!open)}
      >
        Queue {queue.entries.length}
        {queue.paused && ", on hold"}
      </Button>
      {open && (
        <div className="menu-list menu-right queue-list" role="group" aria-label="Queue">
          <ol>
            {queue.entries.map((entry) => {
              const mine = entry.client === CLIENT;
              const place = own.indexOf(entry);
              const told = toldOf(entry, projects, queue.paused);
              const doing = asked[entry.take];
              return (
                <li key={entry.take}>
                  <i className="status" data-status={entry.status} />
                  <span className="queued" title={entry.prompt}>
                    <b>
                      {entry.name}
                      {told.prompt && <q>{told.prompt}</q>}
                    </b>
                    <small>
                      {[
                        doing ? DOING[doing] : told.place,
                        told.left,
                        `seed ${entry.seed}`,
                        told.project,
                        mine ? "" : "from another browser",
                      ]
                        .filter(Boolean)
                        .join(" · ")}
                    </small>
                  </span>
                  {place >= 0 && own.length > 1 && (
                    <>
                      <IconButton
                        icon="up"
                        size={13}
                        label={`Run ${entry.name} earlier`}
                        disabled={place === 0}
                        onClick={() => order(entry.take, -1)}
                      />
                      <IconButton
                        icon="down"
                        size={13}
                        label={`Run ${entry.name} later`}
                        disabled={place === own.length - 1}
                        onClick={() => order(entry.take, 1)}
                      />
                    </>
                  )}
                  {mine && (
                    <IconButton
                      icon="close"
                      size={13}
                      label={`Cancel ${entry.name}`}
                      disabled={doing !== undefined}
                      onClick={() => attempt(() => stopTake(entry.take))}
                    />
                  )}
                </li>
              );
            })}
          </ol>
          <Button
            tone="quiet"
            title={
              queue.paused
                ? "Waiting takes start again"
                : "The running take goes on; waiting ones do not start"
            }
            onClick={() => attempt(() => holdQueue(!queue.paused))}
          >
            {queue.paused ? "Release queue" : "Hold queue"}
          </Button>
        </div>
      )}
    </div>
  );
}
