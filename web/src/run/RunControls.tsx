/** Run, pause, stop, play on, branch; how far it is and how long it takes. */
import { useEffect, useState } from "react";
import { CLIENT, type Model, type Take } from "../api/client";
import { useHealth, useQueue } from "../api/queries";
import { misfits } from "../document/fitting";
import { modelTitle } from "../document/shot";
import { useShot } from "../document/store";
import { Button, IconButton } from "../ui/Button";
import type { IconName } from "../ui/Icon";
import { attempt } from "../ui/toasts";
import { branchTake, pauseTake, playTake, runShot, stopTake } from "./actions";
import { type Primary, primaryOf } from "./primary";
import { remaining } from "./remaining";
import { useChanged, useViewed, type ViewedTake } from "./useViewed";

const ICONS: Record<Primary["act"], IconName> = {
  run: "play",
  pause: "pause",
  play: "play",
  branch: "branch",
};

/** Does what the primary button says. */
export function perform(primary: Primary, viewed: ViewedTake): void {
  attempt(async () => {
    if (primary.act === "run") return runShot();
    if (primary.act === "pause") return pauseTake(primary.take);
    if (primary.act === "play") return playTake(primary.take);
    if (!viewed.detail) return undefined;
    return branchTake(primary.take, primary.at, viewed.detail.document);
  });
}

export const isLive = (take: Take | null): boolean => take?.status === "running" || take?.status === "queued";

export function usePrimary(): [Primary, ViewedTake, boolean] {
  const viewed = useViewed();
  const changed = useChanged(viewed.detail);
  return [primaryOf(viewed.take, viewed.step, changed), viewed, changed];
}

export function RunControls({ model }: { model: Model | undefined }) {
  const [primary, viewed, changed] = usePrimary();
  const shot = useShot();
  const wrong = model ? misfits(shot, model, []) : [];
  const { take } = viewed;
  const [busy, setBusy] = useState(false);
  // A click is answered by the stream; until then the button rests.
  // biome-ignore lint/correctness/useExhaustiveDependencies: any change of the take is an answer
  useEffect(() => setBusy(false), [take?.status, take?.id, primary.act]);
  useEffect(() => {
    if (!busy) return;
    const timer = window.setTimeout(() => setBusy(false), 1500);
    return () => window.clearTimeout(timer);
  }, [busy]);

  return (
    <div className="run-controls">
      <Button
        tone="primary"
        icon={ICONS[primary.act]}
        title={`${primary.hint}  (Ctrl+Enter)`}
        className="run-button"
        disabled={busy}
        data-act={primary.act}
        onClick={() => {
          setBusy(true);
          perform(primary, viewed);
        }}
      >
        {primary.label}
      </Button>
      {primary.act === "play" && take && (
        <IconButton
          icon="onestep"
          label="One step on, then pause"
          onClick={() => attempt(() => playTake(take.id, take.step + 1))}
        />
      )}
      {primary.act !== "run" && (
        <IconButton
          icon="plus"
          label={
            primary.act === "pause" ? "Queue another take of the shot on the desk" : "New take from the start"
          }
          keys="Ctrl+Shift+Enter"
          onClick={() => attempt(() => runShot())}
        />
      )}
      {isLive(take) && take && (
        <IconButton
          icon="stop"
          label="Stop this take"
          keys="Ctrl+."
          onClick={() => attempt(() => stopTake(take.id))}
        />
      )}
      {wrong.length > 0 && (primary.act === "run" || primary.act === "branch") ? (
        <p
          className="run-state run-misfit"
          role="status"
          title={wrong.map(({ sentence }) => sentence).join("\n")}
        >
          <span>
            <b>{model && modelTitle(model.name)}</b> cannot follow {wrong.map(({ name }) => name).join(", ")}
          </span>
        </p>
      ) : (
        <RunState take={take} changed={changed} step={viewed.step} />
      )}
    </div>
  );
}

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

function RunState({ take, changed, step }: { take: Take | null; changed: boolean; step: number | null }) {
  const health = useHealth();
  const queue = useQueue().data;
  const trouble = health.data?.trouble ?? "";
  if (!take) {
    const worker = health.data?.worker;
    const state = health.isError
      ? "The studio does not answer"
      : trouble
        ? sentence(trouble)
        : worker === "starting"
          ? "The worker is warming up"
          : worker === "down"
            ? "The worker is down and is being started"
            : "Ready";
    return (
      <p className="run-state" aria-live="polite" title={state}>
        <span>{state}</span>
      </p>
    );
  }
  const others =
    queue?.entries.filter((entry) => entry.client !== CLIENT && entry.position === null).length ?? 0;
  const note = [
    take.status === "queued" && take.error ? `was interrupted: ${take.error}` : "",
    take.status === "queued" ? trouble : "",
    take.status === "interrupted" ? (take.error ?? "") : "",
    step !== null && step < take.step ? `looking at step ${step}` : "",
    changed && !isLive(take) ? "desk changed" : "",
  ].filter(Boolean);
  const state = STATES[take.status](take, others);
  return (
    <p className="run-state" aria-live="polite" title={state}>
      <span>
        <b>{take.name}</b> {state}
      </span>
      {note.length > 0 && (
        <span className="run-note" title={note.join(" · ")}>
          {note.join(" · ")}
        </span>
      )}
    </p>
  );
}

const STATES: Record<Take["status"], (take: Take, others: number) => string> = {
  queued: (take, others) => {
    if (take.error) return `resumes at step ${take.step}`;
    if (take.queue_position) return `waits, ${take.queue_position} before it`;
    return others ? "waits for another desk's take" : "waits for the worker";
  },
  running: (take) =>
    `step ${take.step} of ${take.steps || "…"}${take.seconds_left ? ` · ${remaining(take.seconds_left)}` : ""}`,
  paused: (take) => `paused at step ${take.step} of ${take.steps || "…"}`,
  finished: (take) => `finished, ${take.steps} steps`,
  stopped: (take) => `stopped at step ${take.step}`,
  failed: (take) => (take.step ? `failed at step ${take.step}` : "failed"),
  interrupted: (take) => `was interrupted at step ${take.step}`,
};

/** A line over the stage that fills while the take runs. */
export function Progress() {
  const { take } = useViewed();
  const part = take?.steps ? take.step / take.steps : 0;
  return (
    <div
      className="progress"
      data-live={isLive(take)}
      role="progressbar"
      aria-label="Steps done"
      aria-valuemin={0}
      aria-valuemax={take?.steps ?? 0}
      aria-valuenow={take?.step ?? 0}
    >
      <div style={{ transform: `scaleX(${isLive(take) || take?.status === "paused" ? part : 0})` }} />
    </div>
  );
}
