/** The original's weight over the clip, as a line one pulls: a press adds a point, Delete takes it away. */
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { moveWeight, putWeight, setBlend, weightAt } from "../document/blend";
import { clamp } from "../document/geometry";
import type { WeightKeyframe } from "../document/shot";
import { useDocument } from "../document/store";
import { usePlayhead } from "../session/playhead";

export function WeightCurve({ weights }: { weights: readonly WeightKeyframe[] }) {
  const { frame, frames } = usePlayhead();
  const field = useRef<HTMLDivElement>(null);
  const pulled = useRef<{ place: number; key: string } | null>(null);
  const gap = Math.min(0.04, 0.5 / Math.max(1, frames - 1));

  const change = (label: string, recipe: (kept: WeightKeyframe[]) => void, merge?: string) =>
    useDocument.getState().perform(
      label,
      (draft) => {
        setBlend(draft, (blend) => {
          const kept = (blend.over_time ?? []).map((keyframe) => ({ ...keyframe }));
          recipe(kept);
          blend.over_time = kept;
        });
        return undefined;
      },
      merge,
    );
  const at = (event: PointerEvent): [number, number] => {
    const bounds = (field.current as HTMLDivElement).getBoundingClientRect();
    const time = clamp((event.clientX - bounds.left) / bounds.width, 0, 1);
    const weight = 1 - clamp((event.clientY - bounds.top) / bounds.height, 0, 1);
    return [time, Math.round(weight * 100) / 100];
  };
  const press = (event: PointerEvent, place: number | null) => {
    if (event.button) return;
    event.stopPropagation();
    (field.current as HTMLDivElement).setPointerCapture(event.pointerId);
    const key = `weight-${event.timeStamp}`;
    let chosen = place ?? -1;
    if (place === null) {
      const [time, weight] = at(event);
      change(
        "Set a weight",
        (kept) => {
          chosen = putWeight(kept, time, weight, gap);
        },
        key,
      );
    }
    pulled.current = { place: chosen, key };
  };
  const pull = (event: PointerEvent) => {
    if (!pulled.current) return;
    const { place, key } = pulled.current;
    const [time, weight] = at(event);
    change("Set a weight", (kept) => moveWeight(kept, place, time, weight, gap), key);
  };
  const key = (event: KeyboardEvent, place: number) => {
    const { time, weight } = weights[place] as WeightKeyframe;
    const size = event.shiftKey ? 0.1 : 0.01;
    const by = { ArrowUp: [0, size], ArrowDown: [0, -size], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[
      event.key
    ];
    if (by) {
      const later = time + (by[0] as number) / Math.max(1, frames - 1);
      const next = clamp(weight + (by[1] as number), 0, 1);
      change("Set a weight", (kept) => moveWeight(kept, place, later, next, gap), `weight-${place}`);
    } else if ((event.key === "Delete" || event.key === "Backspace") && weights.length > 1)
      change("Take a weight away", (kept) => {
        kept.splice(place, 1);
      });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const points = [
    [0, weightAt(weights, 0)],
    ...weights.map(({ time, weight }) => [time, weight]),
    [1, weightAt(weights, 1)],
  ] as [number, number][];
  const line = points.map(([time, weight]) => `${time * 100},${(1 - weight) * 100}`).join(" ");
  const now = frame / Math.max(1, frames - 1);
  return (
    <div className="weights" role="group" aria-label="The original's weight over the clip">
      <span className="weights-name">original</span>
      <span className="weights-name weights-edit">edit</span>
      <div
        ref={field}
        className="weights-field"
        onPointerDown={(event) => press(event, null)}
        onPointerMove={pull}
        onPointerUp={() => {
          pulled.current = null;
        }}
      >
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <polygon points={`0,100 ${line} 100,100`} />
          <polyline points={line} />
        </svg>
        <i className="weights-now" style={{ left: `${now * 100}%` }} />
        {weights.map(({ time, weight }, place) => (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: its place is a weight's name
            key={place}
            type="button"
            className="weight"
            role="slider"
            aria-orientation="vertical"
            aria-label={`Weight at frame ${Math.round(time * (frames - 1)) + 1}`}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(weight * 100)}
            aria-valuetext={`${Math.round(weight * 100)} % original`}
            title={`${Math.round(weight * 100)} % original at frame ${Math.round(time * (frames - 1)) + 1}; arrows move it, Delete takes it away`}
            style={{ left: `${time * 100}%`, top: `${(1 - weight) * 100}%` }}
            onPointerDown={(event) => press(event, place)}
            onKeyDown={(event) => key(event, place)}
          />
        ))}
      </div>
    </div>
  );
}
