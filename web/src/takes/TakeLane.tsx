/** One take's lane: its name, its line, or every step of it as a picture. */
import { memo } from "react";
import type { Take } from "../api/client";
import { useSteps } from "../api/queries";
import { type Session, setSession } from "../desk/session";
import { playTake } from "../run/actions";
import { remaining } from "../run/remaining";
import { pictureOf } from "../run/useViewed";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { attempt } from "../ui/toasts";
import { NAMES, TALL, THIN } from "./sizes";
import { Thumb } from "./Thumb";
import type { Lane } from "./tree";

/** What a click on a take or a step does: looks at it, or puts it beside. */
function choose(take: string, step: number | null, beside: boolean): void {
  if (beside) setSession({ compared: { take, step } });
  else setSession({ viewed: { take, step } });
}

interface LaneProperties {
  lane: Lane;
  top: number;
  cell: number;
  viewed: Session["viewed"];
  compared: boolean;
  comparing: boolean;
}

export const TakeLane = memo(function TakeLane({
  lane,
  top,
  cell,
  viewed,
  compared,
  comparing,
}: LaneProperties) {
  const { take, depth, from } = lane;
  const picture = pictureOf(take);
  const done = Math.max(take.step, from);
  return (
    <div
      className="lane"
      data-status={take.status}
      data-viewed={viewed !== null}
      data-compared={compared}
      style={{ top, height: viewed ? TALL : THIN }}
    >
      <div
        className="lane-name"
        data-picture={picture !== null}
        style={{ paddingLeft: 12 + Math.min(depth, 5) * 14 }}
      >
        <button
          type="button"
          className="lane-choose"
          aria-pressed={viewed !== null}
          title={`${take.prompt}\nShift-click puts it beside the one looked at`}
          onClick={(event) => choose(take.id, null, event.shiftKey)}
        >
          <i className="status" data-status={take.status} />
          <span>{take.name}</span>
          {take.pinned && <Icon name="pin" size={13} />}
        </button>
        <small>{describe(take)}</small>
      </div>
      {picture && (
        <button
          type="button"
          className="lane-picture"
          aria-pressed={viewed?.picture ?? false}
          aria-label={`The picture that ${take.name} starts from`}
          title="What the clip starts from: the image as paint, edits and drags have left it"
          onClick={() => setSession({ viewed: { take: take.id, step: null, picture: !viewed?.picture } })}
        >
          <Thumb strip={picture} size={viewed ? 40 : 24} />
        </button>
      )}
      {take.status === "interrupted" && (
        <Button tone="quiet" className="lane-resume" onClick={() => attempt(() => playTake(take.id))}>
          Resume
        </Button>
      )}
      {viewed ? (
        <StepStrip take={take} from={from} cell={cell} step={viewed.step} />
      ) : (
        <div
          className="lane-track"
          style={{ left: NAMES + (from + 0.5) * cell, width: Math.max(2, (done - from) * cell) }}
        >
          {(take.look ?? take.preview) && (
            <button
              type="button"
              className="lane-head"
              aria-label={`Look at ${take.name}`}
              onClick={(event) => choose(take.id, null, event.shiftKey || comparing)}
            >
              <Thumb strip={(take.look ?? take.preview) as NonNullable<Take["preview"]>} size={26} />
            </button>
          )}
        </div>
      )}
    </div>
  );
});

function describe(take: Take): string {
  switch (take.status) {
    case "running":
      return `${take.step} / ${take.steps || "…"}${take.seconds_left ? ` · ${remaining(take.seconds_left)}` : ""}`;
    case "finished":
      return `seed ${take.seed}`;
    case "queued":
      return take.queue_position === null ? "queued" : `queued, ${take.queue_position + 1}.`;
    default:
      return `${take.status} · ${take.step} / ${take.steps || "…"}`;
  }
}

/** Every step of a take as a small picture; a click goes back to it. */
function StepStrip({
  take,
  from,
  cell,
  step,
}: {
  take: Take;
  from: number;
  cell: number;
  step: number | null;
}) {
  const steps = useSteps(take.id).data?.steps ?? [];
  const chosen = step ?? take.step;
  return (
    <div className="steps" role="listbox" aria-label={`Steps of ${take.name}`} aria-orientation="horizontal">
      {steps.map((entry) => (
        <button
          key={entry.step}
          type="button"
          role="option"
          aria-selected={entry.step === chosen}
          className="step"
          data-kept={entry.kept}
          data-inherited={entry.step <= from && from > 0}
          style={{ left: NAMES + entry.step * cell, width: cell }}
          aria-label={`Step ${entry.step}${entry.kept ? "" : ", its checkpoint is not kept"}`}
          title={
            entry.kept
              ? `Step ${entry.step}: go back here, change something, branch`
              : `Step ${entry.step}: to look at; a branch starts at the kept step before it`
          }
          onClick={(event) => choose(take.id, entry.step === take.step ? null : entry.step, event.shiftKey)}
        >
          <Thumb strip={entry.look ?? entry.preview} size={Math.min(40, cell - 3)} />
          <small>{entry.step}</small>
        </button>
      ))}
    </div>
  );
}
