/** New take, branch, pause and resume; how far the take is and how long it takes. */
import { useEffect } from "react";
import { CLIENT, type Model, type Take } from "../api/client";
import { useHealth, useModels, useQueue } from "../api/queries";
import { useShot } from "../document/store";
import { attempt } from "../session/attempt";
import { useProblems } from "../session/readiness";
import { useChanged, useViewed, type ViewedTake } from "../session/useViewed";
import { Button, IconButton } from "../ui/Button";
import type { IconName } from "../ui/Icon";
import { say } from "../ui/toasts";
import { branchTake, isLive, pauseTake, playTake, runShot, stopTake } from "./actions";
import { DOING, useAsked, useDoing } from "./doing";
import { keptByBranches, obstacleOf } from "./obstacle";
import { type Controls, controlsOf, type Primary } from "./primary";
import { useLineOf } from "./useLineOf";
import { stateOf } from "./words";

export { isLive };

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

export function useControls(): [Controls, ViewedTake, boolean] {
  const viewed = useViewed();
  const shot = useShot();
  const models = useModels().data;
  const model = models?.models.find(({ name }) => name === (shot.model ?? models.default));
  const problems = useProblems();
  const changed = useChanged(viewed.detail);
  const busy = (useQueue().data?.entries.length ?? 0) > 0;
  const controls = controlsOf(viewed.take, {
    step: viewed.step,
    changed,
    busy,
    obstacle: obstacleOf(problems),
    fixed: viewed.detail ? keptByBranches(viewed.detail.document, shot, model) : null,
  });
  return [controls, viewed, changed];
}

export function usePrimary(): [Primary, ViewedTake, boolean] {
  const [{ primary }, viewed, changed] = useControls();
  return [primary, viewed, changed];
}

/** A button of two lines: what it does, and from where, or why not. */
function RunButton({
  icon,
  label,
  said,
  hint,
  keys,
  ready,
  primary,
  act,
}: {
  icon: IconName;
  label: string;
  said: string;
  hint: string;
  keys: string;
  ready: boolean;
  primary: boolean;
  act: () => void;
}) {
  return (
    <Button
      icon={icon}
      tone={primary ? "primary" : "plain"}
      className="run-button"
      aria-disabled={!ready}
      aria-keyshortcuts={keys.replaceAll("Ctrl", "Control")}
      title={`${hint}  (${keys})`}
      onClick={() => (ready ? act() : say(hint))}
    >
      <span>
        {label}
        <small>{said}</small>
      </span>
    </Button>
  );
}

export function RunControls(_: { model: Model | undefined }) {
  const [{ run, branch, go, primary }, viewed, changed] = useControls();
  const { take } = viewed;
  const doing = useDoing(take);
  const making = useAsked((asked) => asked.making);
  const theirs = take !== null && isLive(take) && take.client !== CLIENT;
  const keys = (act: Primary["act"], own: string) => (primary.act === act ? "Ctrl+Enter" : own);
  return (
    <div className="run-controls">
      <RunButton
        icon="play"
        label={making === "run" ? "Queueing…" : "New take"}
        {...run}
        ready={run.ready && making === null}
        primary={primary.act === "run"}
        keys={keys("run", "Ctrl+Shift+Enter")}
        act={() => attempt(() => runShot())}
      />
      <RunButton
        icon="branch"
        label={making === "branch" ? "Queueing…" : "Branch"}
        said={branch.said}
        hint={branch.hint}
        ready={branch.ready && viewed.detail !== null && making === null}
        primary={primary.act === "branch"}
        keys={keys("branch", "Ctrl+Alt+Enter")}
        act={() => branch.ready && perform({ act: "branch", label: "Branch", ...branch }, viewed)}
      />
      {go && take && (
        <RunButton
          icon={go.act === "pause" ? "pause" : "play"}
          label={doing ? DOING[doing] : go.label}
          said={theirs ? "queued elsewhere" : doing === "pausing" ? "after this step" : take.name}
          hint={theirs ? `${take.name} was queued from another browser, which alone can pause it.` : go.hint}
          ready={doing === null && !theirs}
          primary={primary.act === go.act}
          keys={keys(go.act, "Ctrl+Enter")}
          act={() => perform(go, viewed)}
        />
      )}
      {go?.act === "play" && take && (
        <IconButton
          icon="onestep"
          label="Run one step, then pause"
          disabled={doing !== null}
          onClick={() => attempt(() => playTake(take.id, take.step + 1))}
        />
      )}
      {go?.act === "pause" && take && !theirs && (
        <IconButton
          icon="stop"
          label={`Cancel ${take.name}: its steps are kept`}
          keys="Ctrl+."
          disabled={doing === "cancelling"}
          onClick={() => attempt(() => stopTake(take.id))}
        />
      )}
      <RunState take={take} changed={changed} step={viewed.step} obstacle={run.ready ? null : run.hint} />
    </div>
  );
}

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** What the studio is up to while no take is looked at. */
function useStudioState(): string {
  const health = useHealth();
  const trouble = health.data?.trouble ?? "";
  if (health.isError) return "The studio does not answer";
  if (trouble) return sentence(trouble);
  const worker = health.data?.worker;
  if (worker === "starting") return "Starting up: the first take waits for it";
  if (worker === "down") return "The worker stopped and is being restarted";
  return "Ready";
}

/** obstacle: why the shot on the desk cannot be run. */
function RunState({
  take,
  changed,
  step,
  obstacle,
}: {
  take: Take | null;
  changed: boolean;
  step: number | null;
  obstacle: string | null;
}) {
  const studio = useStudioState();
  const trouble = useHealth().data?.trouble ?? "";
  const line = useLineOf(take);
  const doing = useDoing(take);
  const blocks = obstacle !== null && !isLive(take);
  if (!take)
    return (
      <p className="run-state" aria-live="polite" title={obstacle ?? studio} data-blocked={blocks}>
        <span>{obstacle ?? studio}</span>
      </p>
    );
  const state = doing ? DOING[doing].toLowerCase() : stateOf(take, line);
  const note = [
    blocks ? obstacle : "",
    take.status === "queued" && take.error ? `was interrupted: ${take.error}` : "",
    take.status === "queued" ? trouble : "",
    take.status === "interrupted" || take.status === "failed" ? (take.error ?? "") : "",
    step !== null && step < take.step ? `you see step ${step}` : "",
    changed && !isLive(take) ? "the desk has changed since" : "",
  ].filter(Boolean);
  return (
    <p className="run-state" aria-live="polite" title={[`${take.name}: ${state}`, ...note].join("\n")}>
      <span>
        <b>{take.name}</b> {state}
      </span>
      {note.length > 0 && <span className="run-note">{note.join(" · ")}</span>}
    </p>
  );
}

/** A line over the stage that fills while the take runs. */
export function Progress() {
  const { take } = useViewed();
  const line = useLineOf(take);
  const part = take?.steps ? take.step / take.steps : 0;
  const running = take?.status === "running" && take.steps > 0;
  const title = running ? `${take.name}: ${Math.round(part * 100)} % · Rehearse` : "Rehearse";
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div
      className="progress"
      data-live={isLive(take)}
      role="progressbar"
      aria-label="Steps done"
      aria-valuemin={0}
      aria-valuemax={take?.steps ?? 0}
      aria-valuenow={take?.step ?? 0}
      aria-valuetext={take ? `${take.name}: ${stateOf(take, line)}` : "No take is shown"}
    >
      <div style={{ transform: `scaleX(${isLive(take) || take?.status === "paused" ? part : 0})` }} />
    </div>
  );
}
