/** What is said over the stage of the take that is looked at: that it waits or has not started, or why it ended. */
import type { Take } from "../api/client";
import { useQueue } from "../api/queries";
import { playTake } from "../run/actions";
import { DOING, useDoing } from "../run/doing";
import { obstacleOf } from "../run/obstacle";
import { useLineOf } from "../run/useLineOf";
import { ownSteps, stateOf } from "../run/words";
import { attempt, FREE_SPACE } from "../session/attempt";
import { openTake } from "../session/opening";
import { useProblems } from "../session/readiness";
import { useTakeOfProject } from "../session/useViewed";
import { Button } from "../ui/Button";

const NEXT: Partial<Record<Take["status"], string>> = {
  queued: "Its first frames appear here with its first step.",
  running: "Its first frames appear here with its first step.",
  paused: "Press Start to run it.",
  stopped: "Press Start to run it after all.",
};

/** bare: nothing is to be seen on the stage. */
export function StageNote({ take, bare }: { take: Take | null; bare: boolean }) {
  const obstacle = obstacleOf(useProblems());
  const line = useLineOf(take);
  const running = useQueue().data?.entries.find(({ status }) => status === "running");
  const other = useTakeOfProject(running?.take ?? null);
  if (!take)
    return bare ? (
      <p className="stage-note">
        {obstacle === null ? (
          <>
            <b>The stage is set.</b> Press New take and watch the clip form, step by step.
          </>
        ) : (
          <>
            <b>Not ready yet.</b> {obstacle.sentence}
          </>
        )}
      </p>
    ) : null;
  const started = ownSteps(take) > 0;
  if (take.status === "failed" || take.status === "interrupted" || take.status === "finished") return null;
  if (started && take.status !== "queued") return null;
  const shown = take.status === "queued" && other?.id !== take.id ? other : null;
  return (
    <p className="stage-note" role="status">
      <b>
        {take.name}: {stateOf(take, line)}.
      </b>{" "}
      {!shown && !started && NEXT[take.status]}
      {shown && (
        <Button tone="quiet" onClick={() => attempt(() => openTake(shown, null))}>
          Show {shown.name}, now running
        </Button>
      )}
    </p>
  );
}

const sentenceOf = (error: string): string =>
  `${error.charAt(0).toUpperCase()}${error.slice(1).replace(/\.?$/, ".")}`;

const HAPPENED: Partial<Record<Take["status"], string>> = {
  failed: "could not go on",
  paused: "is paused",
  interrupted: "was interrupted",
};

const REMEDIES: Partial<Record<Take["status"], string>> = {
  failed:
    "Its steps are kept. Retry goes on after the last one; or change what the sentence names and make a new take.",
  interrupted: "Its steps are kept. Resume goes on after the last one.",
};

/** Why the take that is looked at does not go on, in full, and what to do. */
export function Trouble({ take }: { take: Take | null }) {
  const doing = useDoing(take);
  if (!take?.error || !HAPPENED[take.status]) return null;
  return (
    <div className="stage-trouble" role="alert" data-status={take.status}>
      <b>
        {take.name} {HAPPENED[take.status]}
      </b>
      <p>{sentenceOf(take.error)}</p>
      {REMEDIES[take.status] && <p className="hint">{REMEDIES[take.status]}</p>}
      {/* A take says why it paused only where the disk was full. */}
      {take.status === "paused" ? (
        <Button icon="chest" onClick={FREE_SPACE.act}>
          {FREE_SPACE.label}
        </Button>
      ) : (
        <Button icon="play" disabled={doing !== null} onClick={() => attempt(() => playTake(take.id))}>
          {doing ? DOING[doing] : take.status === "failed" ? "Retry" : "Resume"}
        </Button>
      )}
    </div>
  );
}

/** What of the shot the take that is looked at did not do as it may have been meant. */
export function TakeNotes({ take }: { take: Take | null }) {
  if (!take?.notes.length) return null;
  return (
    <details className="take-notes" key={take.id}>
      <summary>{take.notes.length === 1 ? "1 note" : `${take.notes.length} notes`}</summary>
      <ul>
        {take.notes.map((note) => (
          <li key={note}>{sentenceOf(note)}</li>
        ))}
      </ul>
    </details>
  );
}
