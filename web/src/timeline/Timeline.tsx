/** Keyframes of every path on the clip's time; the playhead is the stage's frame. */
import { type PointerEvent, useEffect, useRef, useState } from "react";
import { addKeyframe, pathOf, removeKeyframe } from "../document/commands";
import { clamp } from "../document/geometry";
import { keyframeAt, timeOf } from "../document/keyframes";
import { instructionsOf, isPath } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { play, scrub, stand, timeNow, usePlayhead } from "../session/playhead";
import { setSession, useSession } from "../session/session";
import { IconButton } from "../ui/Button";
import { BeyondNote, useBeyond } from "./Beyond";
import { Track } from "./Track";

export const HEAD = 190;
const PAD = 14;

export function Timeline() {
  const shot = useShot();
  const frames = usePlayhead((state) => state.frames);
  const fps = usePlayhead((state) => state.fps);
  const selection = useDocument((state) => state.selection);
  const beyond = useBeyond();
  const area = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  const instructions = instructionsOf(shot);

  useEffect(() => {
    const element = area.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth - HEAD - 2 * PAD));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const scrubbing = (event: PointerEvent<HTMLDivElement>) => {
    const bounds = event.currentTarget.getBoundingClientRect();
    scrub(clamp((event.clientX - bounds.left - PAD) / width, 0, 1) * (frames - 1));
  };

  return (
    <section className="timeline" aria-label="Timeline">
      <header className="panel-head">
        <Transport />
        <BeyondNote />
        <span className="spring" />
        <KeyframeButtons />
        <ViewToggles />
      </header>
      <div className="timeline-area" ref={area}>
        <div className="ruler-row">
          <div className="track-head ruler-head">
            {(frames / fps).toFixed(1)} s · {frames} frames
          </div>
          {/* The slider of the transport is the keyboard's way to the same. */}
          <div
            className="ruler"
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              scrubbing(event);
            }}
            onPointerMove={(event) => event.buttons & 1 && scrubbing(event)}
          >
            <Ticks frames={frames} fps={fps} width={width} />
          </div>
        </div>
        <div className="tracks">
          {instructions.map((instruction, index) => (
            <Track
              // The order is the document's own name for an instruction.
              // biome-ignore lint/suspicious/noArrayIndexKey: see above
              key={index}
              instruction={instruction}
              index={index}
              width={width}
              pad={PAD}
              frames={frames}
              last={beyond ? beyond.most - 1 : frames - 1}
              part={selection?.instruction === index ? (selection.part ?? -1) : null}
            />
          ))}
        </div>
        {beyond && (
          <div
            className="beyond"
            title={`After the last frame that ${beyond.model} makes`}
            style={{
              left: HEAD + PAD + ((beyond.most - 0.5) / (frames - 1)) * width,
              width: ((frames - 0.5 - beyond.most) / (frames - 1)) * width + PAD,
            }}
          />
        )}
        <PlayheadLine width={width} />
      </div>
    </section>
  );
}

/** Play, the frame, and a slider for the keyboard. */
function Transport() {
  const { frame, frames, playing } = usePlayhead();
  return (
    <div className="transport">
      <IconButton
        icon={playing ? "pause" : "play"}
        label={playing ? "Stop the clip" : "Play the clip"}
        keys="Space"
        onClick={() => (playing ? stand() : play())}
      />
      <input
        type="range"
        className="scrubber"
        aria-label="Frame"
        min={0}
        max={Math.max(0, frames - 1)}
        value={frame}
        onChange={(event) => scrub(event.currentTarget.valueAsNumber)}
      />
      <output className="frame-number">
        {frame + 1}
        <small> / {frames}</small>
      </output>
    </div>
  );
}

function KeyframeButtons() {
  const shot = useShot();
  const selection = useDocument((state) => state.selection);
  const chosen = selection ? instructionsOf(shot)[selection.instruction] : undefined;
  const recording = useSession((session) => session.recording);
  const { frame, frames } = usePlayhead();
  if (!selection || !isPath(chosen)) return null;
  const { perform } = useDocument.getState();
  const { instruction } = selection;
  const part = selection.part ?? keyframeAt(chosen.path.keyframes, timeOf(frame, frames), frames);
  return (
    <div className="take-actions" role="group" aria-label="Keyframes">
      <IconButton
        icon="keyframe"
        label="Set a keyframe here"
        keys="K"
        size={16}
        onClick={() =>
          perform("Set a keyframe", (draft) => ({
            instruction,
            part: addKeyframe(draft, instruction, timeNow(), frames),
          }))
        }
      />
      <IconButton
        icon="trash"
        label="Delete the keyframe of this frame"
        size={16}
        disabled={part < 0}
        onClick={() =>
          perform("Delete a keyframe", (draft) => {
            removeKeyframe(draft, instruction, part);
            return pathOf(draft, instruction) ? { instruction, part: null } : null;
          })
        }
      />
      <IconButton
        icon="record"
        label="Record a motion: your next drag on the stage becomes its path"
        keys="M"
        pressed={recording}
        className="record"
        size={16}
        onClick={() => setSession({ recording: !recording })}
      />
    </div>
  );
}

function ViewToggles() {
  const { onion, overlays, snapping } = useSession();
  return (
    <div className="take-actions" role="group" aria-label="What the stage shows">
      <IconButton
        icon="onion"
        label="Onion skin: where the box was and will be"
        keys="O"
        pressed={onion}
        size={16}
        onClick={() => setSession({ onion: !onion })}
      />
      <IconButton
        icon="eye"
        label="Show instructions on the picture"
        keys="X"
        pressed={overlays}
        size={16}
        onClick={() => setSession({ overlays: !overlays })}
      />
      <IconButton
        icon="snap"
        label="Snap to lines; hold Ctrl to go freely"
        keys="S"
        pressed={snapping}
        size={16}
        onClick={() => setSession({ snapping: !snapping })}
      />
    </div>
  );
}

function Ticks({ frames, fps, width }: { frames: number; fps: number; width: number }) {
  const gap = width / Math.max(1, frames - 1);
  const every = [1, 2, 4, 8, 16, 32, 64, 128].find((count) => count * gap > 26) ?? 256;
  return (
    <>
      {Array.from({ length: Math.ceil(frames / every) }, (_, i) => i * every).map((frame) => (
        <span
          key={frame}
          className="tick"
          data-second={frame % Math.round(fps) === 0}
          style={{ left: PAD + timeOf(frame, frames) * width }}
        >
          {frame % Math.round(fps) === 0 ? `${frame / Math.round(fps)}s` : frame + 1}
        </span>
      ))}
    </>
  );
}

/** Moved without rendering anything else. */
function PlayheadLine({ width }: { width: number }) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = () => {
      const { frame, frames } = usePlayhead.getState();
      if (line.current)
        line.current.style.transform = `translateX(${HEAD + PAD + timeOf(frame, frames) * width}px)`;
    };
    place();
    return usePlayhead.subscribe(place);
  }, [width]);
  return <div className="playhead" ref={line} aria-hidden="true" />;
}
