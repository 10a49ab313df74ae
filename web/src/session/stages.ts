/** Each shot's own stage: what is looked at, compared and selected there, and where its clip stands. */
import type { Take } from "../api/client";
import { type Selection, useDocument } from "../document/store";
import { play, returnTo, usePlayhead } from "./playhead";
import { type Session, sessionNow, setSession } from "./session";

export interface Left extends Pick<Session, "viewed" | "compared" | "compareMode" | "wipe"> {
  selection: Selection | null;
  /** Where its clip stood, and how long and fast it was: a frame is shown only within a length. */
  frame: number;
  frames: number;
  fps: number;
  playing: boolean;
}

const left = new Map<string, Left>();

/** Remembers how the open shot's stage is left. */
export function leaveStage(): void {
  const { shot, viewed, compared, compareMode, wipe } = sessionNow();
  if (!shot) return;
  const { selection } = useDocument.getState();
  const { frame, frames, fps, playing } = usePlayhead.getState();
  left.set(shot, { viewed, compared, compareMode, wipe, selection, frame, frames, fps, playing });
}

/** What is looked at as a shot opens: what was when it was left, as far as it is still there, else its newest take. */
export function arrival(
  shot: string,
  before: Left | undefined,
  takes: readonly Take[],
): Pick<Session, "viewed" | "compared"> {
  const there = (take: string | undefined) => takes.some(({ id }) => id === take);
  const newest = takes.findLast((take) => take.shot === shot);
  const anew = newest ? { take: newest.id, step: null } : null;
  if (!before) return { viewed: anew, compared: null };
  return {
    viewed: before.viewed && !there(before.viewed.take) ? anew : before.viewed,
    compared: there(before.compared?.take) ? before.compared : null,
  };
}

/** Sets the stage of a shot that was just opened as it was left, or at its newest take. */
export function setStageOf(shot: string, takes: readonly Take[]): void {
  const before = left.get(shot);
  setSession({
    ...arrival(shot, before, takes),
    ...(before ? { compareMode: before.compareMode, wipe: before.wipe } : {}),
  });
  useDocument.getState().select(before?.selection ?? null);
  // Its length comes with the frame: the shot that was left may have been a shorter one.
  const { frame, frames, fps } = before ?? { ...usePlayhead.getState(), frame: 0 };
  // The clip of the shot that was left may have been playing.
  returnTo(frame, frames, fps);
  if (before?.playing) play();
}
