/** Box paths, point paths and pins. Draw a box, then pull it along: the way becomes its path. */

import { sessionNow, setSession } from "../../desk/session";
import { addInstruction, sweep } from "../../document/commands";
import { boxBetween, clampPoint, evenTimes, simplify } from "../../document/geometry";
import { centreOf, valueAt } from "../../document/keyframes";
import { type Box, instructionsOf, isPath, type Point } from "../../document/shot";
import { hitTest } from "../hit";
import { mover, pathUnder, select } from "./select";
import { snappingLines, snapTo } from "./snapped";
import { type Gesture, type Pointer, type Tool, type Workbench, wandered } from "./tool";

const TOLERANCE = 0.012;

/** The words chosen in the prompt, which the path that is drawn next is for. */
const chosenPhrase = (): string | null => sessionNow().phrase;

function drawBox(bench: Workbench, from: Pointer): Gesture {
  const lines = snappingLines(bench, null);
  let box: Box | null = null;
  return {
    move(pointer) {
      if (!wandered(from, pointer)) return;
      const { dx, dy } = snapTo(bench, pointer, lines, [pointer.at[0]], [pointer.at[1]]);
      const drawn = boxBetween(clampPoint(from.at), clampPoint([pointer.at[0] + dx, pointer.at[1] + dy]));
      box = drawn;
      const phrase = chosenPhrase();
      bench.draft("Draw a box", (shot) => ({
        instruction: addInstruction(shot, {
          kind: "trajectory",
          form: "box",
          phrase,
          path: { keyframes: [{ time: 0, box: drawn }], easing: "linear", leaves_frame: false },
        }),
        part: null,
      }));
    },
    end() {
      if (!box) return;
      bench.commit();
      setSession({ phrase: null });
    },
  };
}

/** Pulls a box or point along: its way over the rest of the clip, at even speed. */
function pull(bench: Workbench, from: Pointer, index: number): Gesture {
  const trajectory = instructionsOf(bench.shot)[index];
  if (!isPath(trajectory)) return { move() {}, end() {} };
  const start = valueAt(trajectory, bench.time);
  const leaves = trajectory.path.leaves_frame ?? false;
  const moved = mover(bench, from, start, index, leaves);
  const values: number[][] = [start];
  const begin = bench.time < 0.999 ? bench.time : 0;
  return {
    move(pointer) {
      if (!wandered(from, pointer) && values.length === 1) return;
      values.push(moved(pointer));
      const centres = values.map(centreOf);
      bench.showLine(centres);
      const kept = simplify(centres, TOLERANCE);
      const times = evenTimes(centres);
      bench.draft("Draw a path", (shot) => {
        sweep(
          shot,
          index,
          begin,
          kept.map((i) => values[i] as number[]),
          kept.map((i) => times[i] as number),
        );
        return { instruction: index, part: null };
      });
    },
    end() {
      if (values.length > 1) bench.commit();
    },
  };
}

export const boxPath: Tool = {
  cursor: "crosshair",
  press(bench, pointer) {
    const hit = hitTest(bench.shot, bench.selection, bench.time, bench.view, pointer.screen, pointer.at);
    if (hit?.kind === "grip") return select.press(bench, pointer);
    const index = pathUnder(bench, pointer, "box");
    return index === null ? drawBox(bench, pointer) : pull(bench, pointer, index);
  },
};

function drawPoint(bench: Workbench, from: Pointer): Gesture {
  const points: Point[] = [clampPoint(from.at)];
  const phrase = chosenPhrase();
  const draft = () => {
    const kept = simplify(points, TOLERANCE);
    const times = evenTimes(points);
    bench.draft(points.length > 1 ? "Draw a point path" : "Set a point", (shot) => ({
      instruction: addInstruction(shot, {
        kind: "trajectory",
        form: "point",
        phrase,
        path: {
          keyframes: kept.map((i) => ({ time: times[i] as number, point: points[i] as Point })),
          easing: "linear",
          leaves_frame: false,
        },
      }),
      part: null,
    }));
  };
  draft();
  return {
    move(pointer) {
      if (!wandered(from, pointer) && points.length === 1) return;
      points.push(clampPoint(pointer.at));
      bench.showLine(points);
      draft();
    },
    end() {
      bench.commit();
      setSession({ phrase: null });
    },
  };
}

export const pointPath: Tool = {
  cursor: "crosshair",
  press(bench, pointer) {
    const index = pathUnder(bench, pointer, "point");
    return index === null ? drawPoint(bench, pointer) : pull(bench, pointer, index);
  },
};

/** Holds still what is under the pointer. */
export const pin: Tool = {
  cursor: "crosshair",
  press(bench, pointer) {
    const point = clampPoint(pointer.at);
    bench.perform("Pin a point", (shot) => ({
      instruction: addInstruction(shot, {
        kind: "trajectory",
        form: "point",
        path: { keyframes: [{ time: 0, point }], easing: "linear", leaves_frame: false },
      }),
      part: null,
    }));
    return null;
  },
};
