/** Box paths, point paths and pins: drawn anew, or moved at the frame that is shown. */

import { addInstruction } from "../../document/commands";
import { boxBetween, clampPoint, tidy } from "../../document/geometry";
import { evenly, recordedMotion } from "../../document/recording";
import type { Box, Point } from "../../document/shot";
import { askWhatIsIn } from "../../session/asking";
import { sessionNow, setSession } from "../../session/session";
import { hitTest } from "../hit";
import { movePath, pathUnder } from "./moving";
import { record } from "./record";
import { select } from "./select";
import { snappingLines, snapTo } from "./snapped";
import { type Gesture, type Pointer, type Tool, type Workbench, wandered } from "./tool";

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
          path: {
            keyframes: [{ time: tidy(bench.time), box: drawn }],
            easing: "linear",
            leaves_frame: false,
          },
        }),
        part: null,
      }));
    },
    end() {
      if (!box) {
        bench.tell("Hold the mouse button and draw a box around the thing.");
        return;
      }
      bench.commit();
      setSession({ phrase: null });
      askWhatIsIn();
    },
  };
}

/** Moves the selected path at the frame that is shown, or records its motion where that is asked for. */
const take = (bench: Workbench, from: Pointer, index: number): Gesture =>
  sessionNow().recording ? record(bench, from, index) : movePath(bench, from, index);

export const boxPath: Tool = {
  cursor: "crosshair",
  press(bench, pointer) {
    const { shot, selection, time, view } = bench;
    const hit = hitTest(shot, selection, time, view, pointer.screen, pointer.at, pointer.finger);
    if (hit?.kind === "grip") return select.press(bench, pointer);
    const index = pathUnder(bench, pointer, "box");
    return index === null ? drawBox(bench, pointer) : take(bench, pointer, index);
  },
};

function drawPoint(bench: Workbench, from: Pointer): Gesture {
  const points: Point[] = [clampPoint(from.at)];
  const phrase = chosenPhrase();
  const { frames, time } = bench;
  const draft = () => {
    const keyframes =
      points.length > 1
        ? recordedMotion(evenly(points), 0, frames).map(({ value, ...rest }) => ({
            ...rest,
            point: value as Point,
          }))
        : [{ time: tidy(time), point: points[0] as Point }];
    bench.draft(points.length > 1 ? "Draw a point path" : "Set a point", (shot) => ({
      instruction: addInstruction(shot, {
        kind: "trajectory",
        form: "point",
        phrase,
        path: {
          keyframes,
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
      askWhatIsIn();
    },
  };
}

export const pointPath: Tool = {
  cursor: "crosshair",
  press(bench, pointer) {
    const index = pathUnder(bench, pointer, "point");
    return index === null ? drawPoint(bench, pointer) : take(bench, pointer, index);
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
        path: { keyframes: [{ time: tidy(bench.time), point }], easing: "linear", leaves_frame: false },
      }),
      part: null,
    }));
    return null;
  },
};
