/** What was deleted and can come back, and what room the takes' checkpoints take. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answer, api } from "../api/client";
import { keys, useDeletedTakes } from "../api/queries";
import { restoreTake } from "../run/actions";
import { attempt } from "../session/attempt";
import { Button, IconButton } from "../ui/Button";
import { NumberField } from "../ui/NumberField";
import { say } from "../ui/toasts";
import { Binned } from "./Binned";
import { freedSentence, megabytes } from "./freed";
import { Thumb } from "./Thumb";

const prune = (project: string, every: number, dry: boolean) =>
  answer(
    api.POST("/api/projects/{project}/prune", {
      params: { path: { project }, query: { dry_run: dry } },
      body: { every },
    }),
  );

export function Keeping({ project, onClose }: { project: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="sheet keeping" aria-labelledby="keeping-title" onClose={onClose}>
      <header>
        <h2 id="keeping-title">Deleted items and disk space</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      <Deleted project={project} />
      <Binned project={project} />
      <Space project={project} />
    </dialog>
  );
}

function Deleted({ project }: { project: string }) {
  const client = useQueryClient();
  const takes = useDeletedTakes(project).data?.takes;
  return (
    <section>
      <h3>Deleted takes</h3>
      {takes?.length === 0 && (
        <p className="hint">
          None. Takes that you delete stay here with all their steps, until they are restored.
        </p>
      )}
      <ul className="deleted">
        {takes?.toReversed().map((take) => {
          const strip = take.look ?? take.preview;
          return (
            <li key={take.id}>
              {strip ? <Thumb strip={strip} size={36} /> : <span className="thumb thumb-none" />}
              <span>
                <b>{take.name}</b>
                <small title={take.prompt}>
                  {take.prompt}, seed {take.seed}
                </small>
              </span>
              <Button
                icon="undo"
                aria-label={`Restore ${take.name}`}
                onClick={() =>
                  attempt(async () => {
                    await restoreTake(take.id);
                    await client.invalidateQueries({ queryKey: keys.deleted(project) });
                    say(`${take.name} is back.`);
                  })
                }
              >
                Restore
              </Button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Space({ project }: { project: string }) {
  const client = useQueryClient();
  const [every, setEvery] = useState(5);
  const [busy, setBusy] = useState(false);
  const preview = useQuery({
    queryKey: ["prune", project, every],
    queryFn: () => prune(project, every, true),
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
  });
  const would = preview.data;
  const free = () =>
    attempt(async () => {
      setBusy(true);
      try {
        const done = await prune(project, every, false);
        await client.invalidateQueries({ queryKey: ["steps"] });
        await preview.refetch();
        say(`${megabytes(done.bytes)} freed.`);
      } finally {
        setBusy(false);
      }
    });
  return (
    <section>
      <h3>Disk space</h3>
      <div className="keeping-space">
        <NumberField
          label="Keep one step in every"
          value={every}
          min={1}
          max={1000}
          onChange={(value) => setEvery(Math.round(value ?? 5))}
        />
        <p role="status">
          {would
            ? freedSentence(would)
            : preview.isError
              ? "This cannot be worked out right now."
              : "Counting…"}
        </p>
        <Button tone="danger" disabled={busy || !would || would.bytes === 0} onClick={free}>
          {would && would.bytes > 0 ? `Free ${megabytes(would.bytes)}` : "Nothing to free"}
        </Button>
      </div>
      <p className="hint">
        Steps take most of the room. The first and the last step of a take are always kept, and every step of
        a pinned one. Clips and pictures stay: a step that was freed can still be looked at, but no longer
        branched from.
      </p>
    </section>
  );
}
