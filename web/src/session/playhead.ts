/** Where in the clip the desk stands. One clock for stage, timeline and comparison. */
import { create } from "zustand";
import { clamp } from "../document/geometry";
import { timeOf } from "../document/keyframes";

interface Playhead {
  /** The frame shown, whole. */
  frame: number;
  frames: number;
  fps: number;
  playing: boolean;
}

export const usePlayhead = create<Playhead>(() => ({ frame: 0, frames: 16, fps: 8, playing: false }));

export const timeNow = (): number => {
  const { frame, frames } = usePlayhead.getState();
  return timeOf(frame, frames);
};

let request = 0;
/** The frame that was returned to, until another is gone to: a length on the way there may be too short for it. */
let returned: number | null = null;

export function play(): void {
  if (usePlayhead.getState().playing) return;
  returned = null;
  const { frame, fps } = usePlayhead.getState();
  let began = performance.now() - (frame / fps) * 1000;
  const tick = (now: number) => {
    const { frames, fps: rate, frame: shown } = usePlayhead.getState();
    const next = Math.max(0, Math.floor(((now - began) / 1000) * rate));
    if (next >= frames) began = now;
    const wrapped = next % Math.max(1, frames);
    if (wrapped !== shown) usePlayhead.setState({ frame: wrapped });
    request = requestAnimationFrame(tick);
  };
  usePlayhead.setState({ playing: true });
  request = requestAnimationFrame(tick);
}

export function stand(): void {
  if (!usePlayhead.getState().playing) return;
  cancelAnimationFrame(request);
  usePlayhead.setState({ playing: false });
}

export function toggle(): void {
  if (usePlayhead.getState().playing) stand();
  else play();
}

/** Goes to a frame and stands there. */
export function scrub(frame: number): void {
  stand();
  returned = null;
  const { frames } = usePlayhead.getState();
  usePlayhead.setState({ frame: clamp(Math.round(frame), 0, frames - 1) });
}

/** Stands at a frame of a clip of this length, also where the desk hears of another length first. */
export function returnTo(frame: number, frames: number, fps: number): void {
  stand();
  returned = frame;
  usePlayhead.setState({ frame, frames, fps });
}

/** The clip's length and speed, when the model, the shot or the take changes. */
export function measure(frames: number, fps: number): void {
  const { frame } = usePlayhead.getState();
  usePlayhead.setState({ frames, fps, frame: Math.min(returned ?? frame, frames - 1) });
}
