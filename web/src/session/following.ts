/** A keyframe is selected while the stage shows its frame, so that nothing out of sight is changed or deleted. */
import { frameOf } from "../document/keyframes";
import { instructionsOf, isPath } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { usePlayhead } from "./playhead";

/** Lets go of a selected keyframe that is not of the frame shown; its path stays selected. */
export function letGoOfHidden(): void {
  const { selection, select } = useDocument.getState();
  if (!selection || selection.part === null) return;
  const chosen = instructionsOf(shotNow())[selection.instruction];
  if (!isPath(chosen)) return;
  const { frame, frames } = usePlayhead.getState();
  const keyframe = chosen.path.keyframes[selection.part];
  if (!keyframe || frameOf(keyframe.time, frames) !== frame) select({ ...selection, part: null });
}

/** Looks after every command and every move of the playhead; at the end of what belongs together. */
export function startFollowing(): () => void {
  let asked = false;
  const look = () => {
    if (asked) return;
    asked = true;
    queueMicrotask(() => {
      asked = false;
      letGoOfHidden();
    });
  };
  const stops = [useDocument.subscribe(look), usePlayhead.subscribe(look)];
  return () => {
    for (const stop of stops) stop();
  };
}
