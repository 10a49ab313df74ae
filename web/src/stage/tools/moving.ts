/** Moves a path: its keyframe of the frame that is shown, or the path as a whole. */
import { setValueAt, shiftPath } from "../../document/commands";
import { clampPoint, contains, moveBox } from "../../document/geometry";
import { frameOf, keyframeAt, valueAt } from "../../document/keyframes";
import { type Box, instructionsOf, isPath, nameOf, type PathTrajectory } from "../../document/shot";
import { snappingLines, snapTo } from "./snapped";
import { type Gesture, type Pointer, type Workbench, wandered } from "./tool";

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

/** Which keyframe a gesture makes or changes, in words. */
export function keyframeSaid(trajectory: PathTrajectory, time: number, frames: number): string {
  const frame = frameOf(time, frames) + 1;
  const made = keyframeAt(trajectory.path.keyframes, time, frames) < 0;
  return made ? `Frame ${frame}: a new keyframe` : `Frame ${frame}: its keyframe`;
}

/** Moves the path: at the frame that is shown; with Shift, or where `whole` says so, all of it. */
export function movePath(bench: Workbench, from: Pointer, index: number, whole = false): Gesture {
  const trajectory = instructionsOf(bench.shot)[index];
  if (!isPath(trajectory)) return { move() {}, end() {} };
  const leaves = trajectory.path.leaves_frame ?? false;
  const { time, frames } = bench;
  const value = valueAt(trajectory, time);
  const moved = mover(bench, from, value, index, leaves);
  const said = keyframeSaid(trajectory, time, frames);
  let wandering = false;
  return {
    move(pointer) {
      wandering ||= wandered(from, pointer);
      if (!wandering) return;
      const next = moved(pointer);
      if (whole || pointer.shift) {
        const [dx, dy] = [
          (next[0] as number) - (value[0] as number),
          (next[1] as number) - (value[1] as number),
        ];
        bench.tell("The whole path, at every frame");
        bench.draft(`Move the whole path of ${nameOf(trajectory)}`, (shot) => {
          shiftPath(shot, index, (at) =>
            at.length === 4
              ? moveBox(at as Box, dx, dy, leaves)
              : clampPoint([(at[0] as number) + dx, (at[1] as number) + dy], leaves),
          );
          return undefined;
        });
      } else {
        bench.tell(said);
        bench.draft(`Move ${nameOf(trajectory)} at frame ${frameOf(time, frames) + 1}`, (shot) => ({
          instruction: index,
          part: setValueAt(shot, index, time, next, frames),
        }));
      }
    },
    end: () => bench.commit(),
  };
}

/** The selected path, where it is under the pointer at the frame that is shown. */
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
