/** One take's lane: its name, its line, or every step of it as a picture. */
import { memo } from "react";
import type { Take } from "../api/client";
import { useSteps } from "../api/queries";
import { playTake } from "../run/actions";
import { DOING, useDoing } from "../run/doing";
import { useLineOf } from "../run/useLineOf";
import { stateOf } from "../run/words";
import { attempt } from "../session/attempt";
import { openTake } from "../session/opening";
import { type Session, setSession } from "../session/session";
import { pictureOf } from "../session/useViewed";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { NAMES, TALL, THIN } from "./sizes";
import { Thumb } from "./Thumb";
import type { Lane } from "./tree";

/** What a click on a take or a step does: looks at it on its shot's own stage, or puts it beside. */
function choose(take: Take, step: number | null, beside: boolean): void {
  if (beside) setSession({ compared: { take: take.id, step } });
  else attempt(() => openTake(take, step));
}

/** Room for the picture that a take starts from, in pixels, however wide it is. */
const PICTURE_WIDTH = 46;

interface LaneProperties {
  lane: Lane;
  top: number;
  cell: number;
  viewed: Session["viewed"];
  compared: boolean;
  comparing: boolean;
  /** The shot that it is of, where that is not the open one. */
  shot: string | null;
}

export const TakeLane = memo(function TakeLane({
  lane,
  top,
  cell,
  viewed,
  compared,
  comparing,
  shot,
}: LaneProperties) {
  const { take, depth, from } = lane;
  const picture = pictureOf(take);
  const done = Math.max(take.step, from);
  const doing = useDoing(take);
  const line = useLineOf(take);
  const state = doing ? DOING[doing] : take.status === "finished" ? "finished" : stateOf(take, line);
  return (
    <div
      className="lane"
      data-status={take.status}
      data-doing={doing ?? undefined}
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
          title={`${take.name}: ${state}\n${take.prompt}, seed ${take.seed}\nShift-click compares it with the take on the stage`}
          onClick={(event) => choose(take, null, event.shiftKey)}
        >
          <i className="status" data-status={take.status} />
          <span>{take.name}</span>
          <em>seed {take.seed}</em>
          {take.pinned && <Icon name="pin" size={13} />}
        </button>
        <small>{[shot, state].filter(Boolean).join(" · ")}</small>
      </div>
      {picture && (
        <button
          type="button"
          className="lane-picture"
          aria-pressed={viewed?.picture ?? false}
          aria-label={`The picture that ${take.name} starts from`}
          title="The picture the clip starts from, with paint, edits and drags applied"
          onClick={() => setSession({ viewed: { take: take.id, step: null, picture: !viewed?.picture } })}
        >
          <Thumb
            strip={picture}
            size={Math.min(viewed ? 40 : 24, (PICTURE_WIDTH * picture.height) / picture.width)}
          />
        </button>
      )}
      {(take.status === "interrupted" || take.status === "failed") && doing === null && (
        <Button
          tone="quiet"
          className="lane-resume"
          title={take.error ?? undefined}
          onClick={() => attempt(() => playTake(take.id))}
        >
          {take.status === "failed" ? "Retry" : "Resume"}
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
              onClick={(event) => choose(take, null, event.shiftKey || comparing)}
            >
              <Thumb strip={(take.look ?? take.preview) as NonNullable<Take["preview"]>} size={26} />
            </button>
          )}
        </div>
      )}
    </div>
  );
});

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
          aria-label={`Step ${entry.step}${entry.kept ? "" : ", to look at only"}`}
          title={
            entry.kept
              ? `Step ${entry.step}: click to go back here, change something, then press Branch`
              : `Step ${entry.step}: to look at only, its data was freed; a branch starts at the step kept before it`
          }
          onClick={(event) => choose(take, entry.step === take.step ? null : entry.step, event.shiftKey)}
        >
          <Thumb strip={entry.look ?? entry.preview} size={Math.min(40, cell - 3)} />
          <small>{entry.step}</small>
        </button>
      ))}
    </div>
  );
}
