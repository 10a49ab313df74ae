/** Takes things on the stage: moves, resizes, bends. What is moved at a frame is the keyframe of that frame. */

import { setKeyframe, setValueAt } from "../../document/commands";
import { boxBetween, clampPoint } from "../../document/geometry";
import { frameOf, timeOf, valueAt } from "../../document/keyframes";
import { maskOf, shiftMask } from "../../document/shifting";
import { type Box, instructionsOf, isDrag, isPath, nameOf, type PathTrajectory } from "../../document/shot";
import type { Selection } from "../../document/store";
import { sessionNow } from "../../session/session";
import { type Grip, hitTest } from "../hit";
import { keyframeSaid, movePath, mover } from "./moving";
import { record } from "./record";
import { snappingLines, snapTo } from "./snapped";
import { type Gesture, type Pointer, type Tool, type Workbench, wandered } from "./tool";

export const select: Tool = {
  cursor: "default",
  press(bench, pointer) {
    const { shot, selection, time, view } = bench;
    const hit = hitTest(shot, selection, time, view, pointer.screen, pointer.at, pointer.finger);
    if (!hit) {
      bench.select(null);
      return null;
    }
    bench.select(hit.selection);
    const instruction = instructionsOf(shot)[hit.selection.instruction];
    if (isPath(instruction)) {
      if (hit.kind === "grip") return resize(bench, hit.selection.instruction, instruction, hit.grip);
      if (hit.kind === "keyframe") return takeKeyframe(bench, pointer, hit.selection, instruction);
      const whole = hit.kind === "trail";
      if (sessionNow().recording && !whole) return record(bench, pointer, hit.selection.instruction);
      return movePath(bench, pointer, hit.selection.instruction, whole);
    }
    if (isDrag(instruction)) return moveDrag(bench, pointer, hit.kind, hit.selection);
    return moveMask(bench, pointer, hit.selection.instruction);
  },
};

function resize(bench: Workbench, index: number, trajectory: PathTrajectory, grip: Grip): Gesture {
  const box = valueAt(trajectory, bench.time) as Box;
  const leaves = trajectory.path.leaves_frame ?? false;
  const lines = snappingLines(bench, index);
  const { time, frames } = bench;
  const said = keyframeSaid(trajectory, time, frames);
  const resized = (pointer: Pointer): Box => {
    const { dx, dy } = snapTo(
      bench,
      pointer,
      lines,
      grip.x === null ? [] : [pointer.at[0]],
      grip.y === null ? [] : [pointer.at[1]],
    );
    const next: Box = [...box];
    if (grip.x !== null) next[grip.x] = pointer.at[0] + dx;
    if (grip.y !== null) next[grip.y] = pointer.at[1] + dy;
    return boxBetween([next[0], next[1]], [next[2], next[3]], leaves);
  };
  return {
    move(pointer) {
      const next = resized(pointer);
      bench.tell(said);
      bench.draft(`Resize ${nameOf(trajectory)} at frame ${frameOf(time, frames) + 1}`, (shot) => ({
        instruction: index,
        part: setValueAt(shot, index, time, next, frames),
      }));
    },
    end: () => bench.commit(),
  };
}

/** A keyframe taken at its dot: the stage goes to its frame, and it is that frame's keyframe that moves. */
function takeKeyframe(
  bench: Workbench,
  from: Pointer,
  selection: Selection,
  trajectory: PathTrajectory,
): Gesture {
  const { instruction: index, part } = selection;
  const keyframe = trajectory.path.keyframes[part as number];
  if (!keyframe) return { move() {}, end() {} };
  bench.scrubTo(keyframe.time);
  const frame = frameOf(keyframe.time, bench.frames);
  const value = "box" in keyframe ? keyframe.box : keyframe.point;
  const moved = mover(bench, from, value, selection.instruction, trajectory.path.leaves_frame ?? false);
  let wandering = false;
  return {
    move(pointer) {
      wandering ||= wandered(from, pointer);
      if (!wandering) return;
      const next = moved(pointer);
      bench.tell(`Frame ${frame + 1}: its keyframe`);
      bench.draft(`Move ${nameOf(trajectory)} at frame ${frame + 1}`, (shot) => {
        setKeyframe(shot, index, part as number, timeOf(frame, bench.frames), next);
        return { instruction: index, part };
      });
    },
    end: () => bench.commit(),
  };
}

function moveDrag(bench: Workbench, from: Pointer, kind: string, selection: Selection): Gesture {
  const { instruction: index, part } = selection;
  const drag = instructionsOf(bench.shot)[index];
  const move = isDrag(drag) && part !== null ? drag.moves[part] : undefined;
  if (!move) return moveMask(bench, from, index);
  const end = kind === "handle" ? "handle" : "target";
  const at = move[end];
  return {
    move(pointer) {
      const next = clampPoint([at[0] + pointer.at[0] - from.at[0], at[1] + pointer.at[1] - from.at[1]]);
      bench.draft(end === "handle" ? "Move a handle" : "Drag elsewhere", (shot) => {
        const chosen = instructionsOf(shot)[index];
        const changed = isDrag(chosen) && chosen.moves[part as number];
        if (changed) changed[end] = next;
        return undefined;
      });
    },
    end: () => bench.commit(),
  };
}

function moveMask(bench: Workbench, from: Pointer, index: number): Gesture {
  let wandering = false;
  return {
    move(pointer) {
      wandering ||= wandered(from, pointer);
      if (!wandering) return;
      const [dx, dy] = [pointer.at[0] - from.at[0], pointer.at[1] - from.at[1]];
      bench.draft("Move the region", (shot) => {
        const chosen = instructionsOf(shot)[index];
        const mask = maskOf(chosen);
        if (mask) shiftMask(mask, dx, dy);
        return undefined;
      });
    },
    end: () => bench.commit(),
  };
}
