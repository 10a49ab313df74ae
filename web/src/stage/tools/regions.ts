/** Regions by lasso, box or brush: for an edit, for a drag, or to mark a target. */

import { setBlend } from "../../document/blend";
import { addInstruction } from "../../document/commands";
import { boxBetween, clampPoint, simplify } from "../../document/geometry";
import { instructionsOf, isDrag, type Mask, type Point, type Shot } from "../../document/shot";
import type { Selection } from "../../document/store";
import { askWhatIsIn } from "../../session/asking";
import { sessionNow, setSession } from "../../session/session";
import { strokeOf } from "./paint";
import { CLICK, type Gesture, type Pointer, type Tool, type Workbench, wandered } from "./tool";

/** Puts a region to use: as the blend's, as the selected instruction's, or as a new edit. */
export function useRegion(
  shot: Shot,
  selection: Selection | null,
  mask: Mask,
  use: "edit" | "drag" | "blend",
): Selection | null {
  if (use === "blend") {
    setBlend(shot, (blend) => {
      blend.region = mask;
    });
    return selection;
  }
  const index = selection?.instruction ?? -1;
  const chosen = instructionsOf(shot)[index];
  if (use === "drag" && isDrag(chosen)) {
    chosen.region = mask;
    return { instruction: index, part: null };
  }
  if (use === "edit" && chosen?.kind === "content") {
    chosen.mask = mask;
    return { instruction: index, part: null };
  }
  return {
    // A region needs something to be done in it: it starts out with the shot's own prompt.
    instruction: addInstruction(shot, { kind: "content", prompt: shot.prompt, mask }),
    part: null,
  };
}

/** Marks the target; a target of the same role is marked anew. */
export function markTarget(shot: Shot, mask: Mask, role: "target" | "source", phrase: string): Selection {
  const index = instructionsOf(shot).findIndex((other) => other.kind === "target" && other.role === role);
  const chosen = instructionsOf(shot)[index];
  if (chosen?.kind === "target") {
    chosen.mask = mask;
    return { instruction: index, part: null };
  }
  return { instruction: addInstruction(shot, { kind: "target", role, phrase, mask }), part: null };
}

function outline(
  bench: Workbench,
  from: Pointer,
  shape: "lasso" | "box" | "brush",
  done: (mask: Mask) => void,
): Gesture {
  const points: Point[] = [clampPoint(from.at)];
  const aspect = bench.view.width / bench.view.height;
  const { width } = sessionNow().brush;
  const stroke = () =>
    strokeOf(
      points.map((at) => ({ at, pressure: null })),
      { colour: "#2a9d8f", width, opacity: 0.6 },
      aspect,
      false,
    );
  if (shape === "brush") bench.showStroke(stroke());
  /** The corners of a lasso that is set by clicks; null while it is drawn in one go. */
  let corners: Point[] | null = null;
  const close = () => {
    if (corners && corners.length >= 3) done({ polygon: corners });
    corners = null;
  };
  const near = (a: Point | undefined, b: Point) =>
    a !== undefined &&
    Math.hypot((a[0] - b[0]) * bench.view.width, (a[1] - b[1]) * bench.view.height) <= CLICK;
  return {
    goesOn: () => corners !== null,
    again(pointer) {
      const at = clampPoint(pointer.at);
      // A double click, or a click on the first corner, closes it.
      if (near(corners?.at(-1), at) || near(corners?.[0], at)) close();
      else corners?.push(at);
    },
    ...(shape === "lasso" ? { finish: close } : {}),
    move(pointer) {
      if (corners) {
        bench.showLine([...corners, clampPoint(pointer.at), corners[0] as Point]);
        return;
      }
      points.push(clampPoint(pointer.at));
      const [start, end] = [points[0] as Point, points.at(-1) as Point];
      if (shape === "brush") bench.showStroke(stroke());
      else if (shape === "lasso") bench.showLine([...points, start]);
      else bench.showLine([start, [end[0], start[1]], end, [start[0], end[1]], start]);
    },
    end(pointer) {
      if (corners) return;
      if (shape === "brush") done({ strokes: [{ ...stroke(), opacity: 1 }] });
      else if (!wandered(from, pointer) && points.length < 4) {
        if (shape === "lasso") {
          corners = [points[0] as Point];
          bench.tell("Click its corners; double-click or press Enter to close it, Escape to cancel.");
        } else bench.tell("Hold the mouse button and draw a box around it.");
      } else if (shape === "box") done({ box: boxBetween(points[0] as Point, points.at(-1) as Point) });
      else {
        const kept = simplify(points, 0.004).map((i) => points[i] as Point);
        if (kept.length >= 3) done({ polygon: kept });
        else bench.tell("That line encloses nothing: draw all the way around it.");
      }
    },
  };
}

const LABELS = {
  edit: "Choose a region to edit",
  drag: "Choose what is dragged",
  blend: "Choose where the edit acts",
} as const;

/** Puts an outlined region to the use that the tool is set to. */
export function putRegion(bench: Workbench, mask: Mask): void {
  const { use } = sessionNow().region;
  const { selection } = bench;
  if (use === "drag" && !isDrag(instructionsOf(bench.shot)[selection?.instruction ?? -1])) {
    // The next drag is drawn with this region.
    setSession({ tool: "drag", dragRegion: mask });
    return;
  }
  bench.perform(LABELS[use], (shot) => useRegion(shot, selection, mask, use));
}

/** Marks an outlined region as the tool's target, for the words chosen in the prompt; asks for them where none are. */
export function putTarget(bench: Workbench, mask: Mask): void {
  const { role } = sessionNow().target;
  const phrase = sessionNow().phrase ?? "";
  bench.perform("Mark the target", (shot) => markTarget(shot, mask, role, phrase));
  setSession({ phrase: null });
  askWhatIsIn();
}

export const region: Tool = {
  cursor: "crosshair",
  press: (bench, pointer) =>
    outline(bench, pointer, sessionNow().region.shape, (mask) => putRegion(bench, mask)),
};

export const target: Tool = {
  cursor: "crosshair",
  press: (bench, pointer) =>
    outline(bench, pointer, sessionNow().target.shape, (mask) => putTarget(bench, mask)),
};
