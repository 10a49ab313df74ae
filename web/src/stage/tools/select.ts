/** Takes things on the stage: moves, resizes, bends. Moving a path at a time sets its keyframe there. */
import { setValueAt, shiftPath } from "../../document/commands";
import { boxBetween, clampPoint, contains, moveBox } from "../../document/geometry";
import { valueAt } from "../../document/keyframes";
import { maskOf, shiftMask } from "../../document/shifting";
import { type Box, instructionsOf, isDrag, isPath, nameOf, type PathTrajectory } from "../../document/shot";
import type { Selection } from "../../document/store";
import { type Grip, hitTest } from "../hit";
import { snappingLines, snapTo } from "./snapped";
import { type Gesture, type Pointer, type Tool, type Workbench, wandered } from "./tool";

export const select: Tool = {
  cursor: "default",
  press(bench, pointer) {
    const { shot, selection, time, view } = bench;
    const hit = hitTest(shot, selection, time, view, pointer.screen, pointer.at);
    if (!hit) {
      bench.select(null);
      return null;
    }
    bench.select(hit.selection);
    const instruction = instructionsOf(shot)[hit.selection.instruction];
    if (isPath(instruction)) {
      if (hit.kind === "grip") return resize(bench, hit.selection.instruction, instruction, hit.grip);
      if (hit.kind === "keyframe") return takeKeyframe(bench, pointer, hit.selection, instruction);
      return movePath(bench, pointer, hit.selection.instruction, instruction);
    }
    if (isDrag(instruction)) return moveDrag(bench, pointer, hit.kind, hit.selection);
    return moveMask(bench, pointer, hit.selection.instruction);
  },
};

function resize(bench: Workbench, index: number, trajectory: PathTrajectory, grip: Grip): Gesture {
  const box = valueAt(trajectory, bench.time) as Box;
  const leaves = trajectory.path.leaves_frame ?? false;
  const lines = snappingLines(bench, index);
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
      bench.draft("Resize the box", (shot) => ({
        instruction: index,
        part: setValueAt(shot, index, bench.time, next, bench.frames),
      }));
    },
    end: () => bench.commit(),
  };
}

/** The value moved by a pointer's way, snapped. */
export function mover(
  bench: Workbench,
  from: Pointer,
  value: readonly number[],
  index: number,
  leaves: boolean,
) {
  const lines = snappingLines(bench, index);
  return (pointer: Pointer): number[] => {
    const [dx, dy] = [pointer.at[0] - from.at[0], pointer.at[1] - from.at[1]];
    if (value.length === 4) {
      const [x0, y0, x1, y1] = value.map((edge, i) => edge + (i % 2 ? dy : dx)) as Box;
      const shift = snapTo(bench, pointer, lines, [x0, (x0 + x1) / 2, x1], [y0, (y0 + y1) / 2, y1]);
      return moveBox(value as Box, dx + shift.dx, dy + shift.dy, leaves);
    }
    const [x, y] = [(value[0] as number) + dx, (value[1] as number) + dy];
    const shift = snapTo(bench, pointer, lines, [x], [y]);
    return clampPoint([x + shift.dx, y + shift.dy], leaves);
  };
}

function movePath(bench: Workbench, from: Pointer, index: number, trajectory: PathTrajectory): Gesture {
  const leaves = trajectory.path.leaves_frame ?? false;
  const value = valueAt(trajectory, bench.time);
  const moved = mover(bench, from, value, index, leaves);
  let wandering = false;
  return {
    move(pointer) {
      wandering ||= wandered(from, pointer);
      if (!wandering) return;
      const next = moved(pointer);
      if (pointer.shift) {
        const [dx, dy] = [
          (next[0] as number) - (value[0] as number),
          (next[1] as number) - (value[1] as number),
        ];
        bench.draft(`Move the whole path of ${nameOf(trajectory)}`, (shot) => {
          shiftPath(shot, index, (at) =>
            at.length === 4
              ? moveBox(at as Box, dx, dy, leaves)
              : clampPoint([(at[0] as number) + dx, (at[1] as number) + dy], leaves),
          );
          return undefined;
        });
      } else
        bench.draft(`Move ${nameOf(trajectory)}`, (shot) => ({
          instruction: index,
          part: setValueAt(shot, index, bench.time, next, bench.frames),
        }));
    },
    end: () => bench.commit(),
  };
}

function takeKeyframe(
  bench: Workbench,
  from: Pointer,
  selection: Selection,
  trajectory: PathTrajectory,
): Gesture {
  const keyframe = trajectory.path.keyframes[selection.part as number];
  if (!keyframe) return { move() {}, end() {} };
  bench.scrubTo(keyframe.time);
  const value = "box" in keyframe ? keyframe.box : keyframe.point;
  const moved = mover(bench, from, value, selection.instruction, trajectory.path.leaves_frame ?? false);
  let wandering = false;
  return {
    move(pointer) {
      wandering ||= wandered(from, pointer);
      if (!wandering) return;
      const next = moved(pointer);
      bench.draft("Move a keyframe", (shot) => ({
        instruction: selection.instruction,
        part: setValueAt(shot, selection.instruction, keyframe.time, next, bench.frames),
      }));
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

/** The selected path under the pointer, for tools that sweep it. */
export function pathUnder(bench: Workbench, pointer: Pointer, form: "box" | "point"): number | null {
  const index = bench.selection?.instruction;
  const chosen = index === undefined ? undefined : instructionsOf(bench.shot)[index];
  if (index === undefined || !isPath(chosen) || chosen.form !== form) return null;
  const value = valueAt(chosen, bench.time);
  const inside =
    value.length === 4
      ? contains(value, pointer.at)
      : Math.hypot(
          ((value[0] as number) - pointer.at[0]) * bench.view.width,
          ((value[1] as number) - pointer.at[1]) * bench.view.height,
        ) < 18;
  return inside ? index : null;
}
