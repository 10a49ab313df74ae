/** What Enter puts on the stage where nobody draws: each tool's own thing, in the middle of the frame. */

import { addInstruction } from "../../document/commands";
import { tidy } from "../../document/geometry";
import { maskOf } from "../../document/shifting";
import {
  type Box,
  type Instruction,
  instructionsOf,
  isDrag,
  isPath,
  type Point,
  type Shot,
} from "../../document/shot";
import { askWhatIsIn } from "../../session/asking";
import { stand } from "../../session/playhead";
import { sessionNow, setSession } from "../../session/session";
import type { ToolName } from "../../tools/table";
import { putRegion, putTarget } from "./regions";
import type { Workbench } from "./tool";

/** How far apart the things lie that are put where there is one already: the same thing twice is refused. */
const APART = 0.03;
const MOST = 10;

/** Where the shot's things lie, however they are told. */
function places(shot: Shot): Set<string> {
  const values = instructionsOf(shot).flatMap((instruction): (readonly number[])[] => {
    const first = isPath(instruction) ? instruction.path.keyframes[0] : undefined;
    if (first) return ["box" in first ? first.box : first.point];
    const box = maskOf(instruction)?.box;
    return [
      ...(isDrag(instruction) ? instruction.moves.map(({ handle }) => handle) : []),
      ...(box ? [box] : []),
    ];
  });
  return new Set(values.map(String));
}

/** The place, or the nearest one beside it where nothing lies. */
function free<T extends readonly number[]>(place: T, shot: Shot): T {
  const taken = places(shot);
  const moved = (count: number) => place.map((value) => tidy(value + count * APART)) as unknown as T;
  for (let count = 0; count < MOST; count++) if (!taken.has(String(moved(count)))) return moved(count);
  return moved(MOST);
}

function put(bench: Workbench, label: string, instruction: Instruction, part: number | null = null): void {
  bench.perform(label, (shot) => ({ instruction: addInstruction(shot, instruction), part }));
}

/** Places the tool's thing; false where the tool has none. */
export function placeWithoutPointer(bench: Workbench, tool: ToolName): boolean {
  stand();
  const { phrase, dragRegion } = sessionNow();
  const path = { easing: "linear", leaves_frame: false } as const;
  const box = free<Box>([0.35, 0.35, 0.65, 0.65], bench.shot);
  const point = {
    ...path,
    keyframes: [{ time: tidy(bench.time), point: free<Point>([0.5, 0.5], bench.shot) }],
  };
  switch (tool) {
    case "box": {
      const keyframes = [{ time: tidy(bench.time), box }];
      put(bench, "Add a box", { kind: "trajectory", form: "box", phrase, path: { ...path, keyframes } });
      setSession({ phrase: null });
      askWhatIsIn();
      return true;
    }
    case "point":
      put(bench, "Add a point", { kind: "trajectory", form: "point", phrase, path: point });
      setSession({ phrase: null });
      askWhatIsIn();
      return true;
    case "pin":
      put(bench, "Pin a point", { kind: "trajectory", form: "point", path: point });
      return true;
    case "drag": {
      const handle = free<Point>([0.4, 0.5], bench.shot);
      put(
        bench,
        "Drag",
        {
          kind: "trajectory",
          form: "drag",
          moves: [{ handle, target: [tidy(handle[0] + 0.2), handle[1]] }],
          ...(dragRegion ? { region: dragRegion } : {}),
          start: 0,
          end: 1,
          easing: "linear",
        },
        0,
      );
      setSession({ dragRegion: null });
      return true;
    }
    case "region":
      putRegion(bench, { box });
      return true;
    case "target":
      putTarget(bench, { box });
      return true;
    default:
      return false;
  }
}
