/** Moving what is selected without a pointer: arrow keys, and the way from one of its parts to the next. */

import { tell, tellNoMore } from "../canvas/told";
import { setValueAt, shiftPath } from "../document/commands";
import { clampPoint, moveBox } from "../document/geometry";
import { frameOf, valueAt } from "../document/keyframes";
import { shiftInstruction } from "../document/shifting";
import { type Box, instructionsOf, isDrag, isPath, type PathTrajectory } from "../document/shot";
import { type Selection, shotNow, useDocument } from "../document/store";
import { scrub, stand, timeNow, usePlayhead } from "../session/playhead";
import { keyframeSaid } from "../stage/tools/moving";

/** Moves what is selected by fractions of the frame: a path at the frame that is shown, or as a whole. */
export function nudge(dx: number, dy: number, whole = false): void {
  const { selection, perform } = useDocument.getState();
  const chosen = selection ? instructionsOf(shotNow())[selection.instruction] : undefined;
  if (!selection || !chosen) return;
  // Else each press would be at another frame while the clip plays.
  stand();
  if (isPath(chosen)) {
    nudgePath(selection, chosen, dx, dy, whole);
    return;
  }
  const end = selection.end ?? "target";
  perform(
    "Nudge",
    (shot) => {
      const instruction = instructionsOf(shot)[selection.instruction];
      if (instruction) shiftInstruction(instruction, selection.part, end, dx, dy);
      return undefined;
    },
    `nudge-${selection.instruction}-${selection.part}-${end}`,
  );
}

function nudgePath(
  selection: Selection,
  chosen: PathTrajectory,
  dx: number,
  dy: number,
  whole: boolean,
): void {
  const leaves = chosen.path.leaves_frame ?? false;
  const move = (value: readonly number[]): number[] =>
    value.length === 4
      ? moveBox(value as Box, dx, dy, leaves)
      : clampPoint([(value[0] as number) + dx, (value[1] as number) + dy], leaves);
  const { perform } = useDocument.getState();
  if (whole) {
    tell("The whole path, at every frame");
    perform(
      "Nudge the whole path",
      (shot) => {
        shiftPath(shot, selection.instruction, move);
        return undefined;
      },
      `nudge-whole-${selection.instruction}`,
    );
  } else {
    const time = timeNow();
    const { frames } = usePlayhead.getState();
    const frame = frameOf(time, frames) + 1;
    tell(keyframeSaid(chosen, time, frames));
    perform(
      `Nudge at frame ${frame}`,
      (shot) => ({
        instruction: selection.instruction,
        part: setValueAt(shot, selection.instruction, time, move(valueAt(chosen, time)), frames),
      }),
      `nudge-${selection.instruction}-${frame}`,
    );
  }
  tellNoMore();
}

/** To the selected path's next or previous keyframe; along a drag's handles and targets. */
export function toPart(by: 1 | -1): void {
  const { selection, select } = useDocument.getState();
  const chosen = selection ? instructionsOf(shotNow())[selection.instruction] : undefined;
  if (!selection || !chosen) return;
  const { instruction } = selection;
  if (isDrag(chosen)) {
    const ends = chosen.moves.length * 2;
    const at = selection.part === null ? null : selection.part * 2 + (selection.end === "handle" ? 0 : 1);
    const next = at === null ? (by > 0 ? 0 : ends - 1) : Math.min(ends - 1, Math.max(0, at + by));
    select({ instruction, part: next >> 1, end: next % 2 ? "target" : "handle" });
  } else if (isPath(chosen)) {
    const times = chosen.path.keyframes.map(({ time }) => time);
    const now = timeNow();
    const part =
      by > 0
        ? times.findIndex((time) => time > now + 1e-6)
        : times.findLastIndex((time) => time < now - 1e-6);
    if (part < 0) return;
    select({ instruction, part });
    scrub((times[part] as number) * (usePlayhead.getState().frames - 1));
  }
}
