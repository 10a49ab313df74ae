/** One instruction's line on the timeline: keyframes, spans, or a moment. */
import { type KeyboardEvent, memo, type PointerEvent, useRef } from "react";
import { trackColour } from "../canvas/palette";
import { copyKeyframe, moveKeyframe, pathOf, removeKeyframe, retime } from "../document/commands";
import { clamp, tidy } from "../document/geometry";
import { ease, frameOf, timeOf } from "../document/keyframes";
import { type Easing, type Instruction, instructionsOf, isDrag, isPath, nameOf } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { iconOf } from "../instructions/view";
import { scrub } from "../session/playhead";
import { Icon } from "../ui/Icon";
import { beginSlide, type Slide, slideKeyframe, slideTo, type Taken } from "./slide";

interface Properties {
  instruction: Instruction;
  index: number;
  /** Pixels of the whole clip. */
  width: number;
  pad: number;
  frames: number;
  /** The last frame that the model makes. */
  last: number;
  /** The selected keyframe, -1 for the whole instruction; null where another one is selected. */
  part: number | null;
}

export const Track = memo(function Track(properties: Properties) {
  const { instruction, index, part } = properties;
  const colour = trackColour(index);
  return (
    <div className="track" data-selected={part !== null} style={{ "--track": colour } as React.CSSProperties}>
      <button
        type="button"
        className="track-head"
        aria-pressed={part !== null}
        onClick={() => useDocument.getState().select({ instruction: index, part: null })}
      >
        <i className="track-dot" />
        <Icon name={iconOf(instruction)} size={15} />
        <span>{nameOf(instruction)}</span>
      </button>
      <div className="track-line">
        <Content {...properties} />
      </div>
    </div>
  );
});

function Content(properties: Properties) {
  const { instruction, pad, width } = properties;
  if (isPath(instruction)) return <PathLine {...properties} />;
  if (isDrag(instruction))
    return <Span {...properties} start={instruction.start ?? 0} end={instruction.end ?? 1} />;
  if (instruction.kind === "image")
    return (
      <span className="moment" style={{ left: pad + (instruction.time ?? 0) * width }}>
        <Icon name="image" size={12} />
      </span>
    );
  return <span className="span span-whole" style={{ left: pad, width }} />;
}

/** A pointer's way on a line, in times of the clip; one step of undo, or none where it ends as it began. */
function useSlide(width: number, frames: number) {
  const slide = useRef<Slide | null>(null);
  const end = () => {
    if (slide.current) useDocument.getState().settle(slide.current.key);
    slide.current = null;
  };
  return (act: (by: number, key: string, copying: boolean) => void, click?: () => void) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      slide.current = beginSlide(event.clientX, `slide-${event.timeStamp}`);
      click?.();
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const current = slide.current;
      if (!current) return;
      const by = slideTo(current, event, width, frames);
      if (by !== null) act(by, current.key, current.copying === true);
    },
    onPointerUp: end,
    onPointerCancel: end,
  });
}

function PathLine({ instruction, index, width, pad, frames, last: made, part }: Properties) {
  const slide = useSlide(width, frames);
  const taken = useRef<Taken | null>(null);
  if (!isPath(instruction)) return null;
  const keyframes = instruction.path.keyframes;
  const { perform, select } = useDocument.getState();
  const remember = (place: number) => {
    taken.current = { path: instruction, index, place };
  };
  const [first, last] = [keyframes[0]?.time ?? 0, keyframes.at(-1)?.time ?? 0];

  /** Moves the whole, or one of its ends. */
  const timing = (end: "start" | "end" | "both") =>
    slide(
      (by, key) =>
        perform(
          "Change when the path runs",
          (shot) => {
            const times = (taken.current?.path.path.keyframes ?? []).map(({ time }) => time);
            const [start, finish] = [times[0] as number, times.at(-1) as number];
            if (end === "both") {
              const shift = clamp(by, -start, 1 - finish);
              retime(shot, index, tidy(start + shift), tidy(finish + shift));
            } else if (end === "start") retime(shot, index, clamp(start + by, 0, finish - 0.02), finish);
            else retime(shot, index, start, clamp(finish + by, start + 0.02, 1));
            return { instruction: index, part: null };
          },
          key,
        ),
      () => {
        remember(0);
        select({ instruction: index, part: null });
      },
    );

  const slideTaken = (by: number, key: string, copying: boolean) => {
    if (taken.current) scrub(frameOf(slideKeyframe(taken.current, by, key, copying, frames), frames));
  };

  const onKey = (event: KeyboardEvent, place: number) => {
    const step = 1 / Math.max(1, frames - 1);
    const by = event.key === "ArrowRight" ? step : event.key === "ArrowLeft" ? -step : 0;
    if (by) {
      event.preventDefault();
      event.stopPropagation();
      const from = keyframes[place]?.time ?? 0;
      const time = timeOf(clamp(frameOf(from, frames) + Math.sign(by), 0, frames - 1), frames);
      if (event.altKey)
        perform("Copy a keyframe", (shot) => ({
          instruction: index,
          part: copyKeyframe(shot, index, place, time, frames),
        }));
      else
        perform("Move a keyframe in time", (shot) => {
          moveKeyframe(shot, index, place, time, frames);
          return { instruction: index, part: place };
        });
      const { selection } = useDocument.getState();
      const moved = pathOf(shotNow(), index)?.path.keyframes[selection?.part ?? place];
      scrub(frameOf(moved?.time ?? time, frames));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      event.stopPropagation();
      perform("Delete a keyframe", (shot) => {
        removeKeyframe(shot, index, place);
        return pathOf(shot, index) ? { instruction: index, part: null } : null;
      });
    }
  };

  return (
    <>
      {keyframes.length > 1 && (
        <span className="span" style={{ left: pad + first * width, width: (last - first) * width }}>
          <span className="span-body" title="Slide the path in time" {...timing("both")} />
          <span className="span-end span-start" title="Begin earlier or later" {...timing("start")} />
          <span className="span-end span-finish" title="Arrive earlier or later" {...timing("end")} />
        </span>
      )}
      <Curves keyframes={keyframes} easing={instruction.path.easing ?? "linear"} width={width} pad={pad} />
      {keyframes.map((keyframe, place) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: a keyframe keeps its button while it slides
          key={place}
          type="button"
          className="keyframe"
          data-beyond={frameOf(keyframe.time, frames) > made}
          aria-pressed={part === place}
          aria-label={`Keyframe ${place + 1} of ${nameOf(instruction)}, frame ${frameOf(keyframe.time, frames) + 1}${frameOf(keyframe.time, frames) > made ? ", after the model's last frame" : ""}`}
          title="Slide to move, Alt-slide to copy, Delete to remove"
          style={{ left: pad + keyframe.time * width }}
          {...slide(slideTaken, () => {
            remember(place);
            select({ instruction: index, part: place });
            scrub(frameOf(keyframe.time, frames));
          })}
          // A pointer's press has selected already, and may have slid a copy away since.
          onClick={({ detail }) => {
            if (detail !== 0) return;
            select({ instruction: index, part: place });
            scrub(frameOf(keyframe.time, frames));
          }}
          onKeyDown={(event) => onKey(event, place)}
        />
      ))}
    </>
  );
}

/** How the path moves in each gap, as a small curve. */
function Curves({
  keyframes,
  easing,
  width,
  pad,
}: {
  keyframes: readonly { time: number; easing?: Easing | null }[];
  easing: Easing;
  width: number;
  pad: number;
}) {
  if (keyframes.length < 2) return null;
  const paths = keyframes.slice(0, -1).map((keyframe, i) => {
    const [from, to] = [keyframe.time, (keyframes[i + 1] as { time: number }).time];
    const points = Array.from({ length: 13 }, (_, k) => {
      const progress = k / 12;
      const x = pad + (from + (to - from) * progress) * width;
      return `${x.toFixed(1)} ${(20 - 12 * ease(keyframe.easing ?? easing, progress)).toFixed(1)}`;
    });
    return `M${points.join("L")}`;
  });
  return (
    <svg className="curves" width={width + 2 * pad} height={28} aria-hidden="true">
      <path d={paths.join("")} />
    </svg>
  );
}

/** A drag's time from start to end. */
function Span({ index, width, pad, frames, start, end }: Properties & { start: number; end: number }) {
  const slide = useSlide(width, frames);
  const origin = useRef<[number, number]>([start, end]);
  const timing = (which: "start" | "end" | "both") =>
    slide(
      (by, key) =>
        useDocument.getState().perform(
          "Change when the drag runs",
          (shot) => {
            const drag = instructionsOf(shot)[index];
            if (!isDrag(drag)) return undefined;
            const [from, to] = origin.current;
            const shift = clamp(by, -from, 1 - to);
            if (which === "both") [drag.start, drag.end] = [tidy(from + shift), tidy(to + shift)];
            else if (which === "start") drag.start = tidy(clamp(from + by, 0, to - 0.02));
            else drag.end = tidy(clamp(to + by, from + 0.02, 1));
            return { instruction: index, part: null };
          },
          key,
        ),
      () => {
        origin.current = [start, end];
        useDocument.getState().select({ instruction: index, part: null });
      },
    );
  return (
    <span className="span" style={{ left: pad + start * width, width: (end - start) * width }}>
      <span className="span-body" {...timing("both")} />
      <span className="span-end span-start" {...timing("start")} />
      <span className="span-end span-finish" {...timing("end")} />
    </span>
  );
}
