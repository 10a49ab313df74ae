/** Drags: take the picture by a handle and pull; it bends along while the hand moves. */

import { addInstruction } from "../../document/commands";
import { clampPoint } from "../../document/geometry";
import { type DragMove, instructionsOf, isDrag } from "../../document/shot";
import { sessionNow, setSession } from "../../session/session";
import { hitTest } from "../hit";
import { select } from "./select";
import { type Tool, wandered } from "./tool";

export const drag: Tool = {
  cursor: "grab",
  press(bench, from) {
    const hit = hitTest(bench.shot, bench.selection, bench.time, bench.view, from.screen, from.at);
    if (hit?.kind === "handle" || hit?.kind === "target") return select.press(bench, from);
    const handle = clampPoint(from.at);
    const mask = sessionNow().dragRegion;
    const index = bench.selection?.instruction ?? -1;
    const chosen = instructionsOf(bench.shot)[index];
    const joins = isDrag(chosen) && !mask;
    let pulled = false;
    return {
      move(pointer) {
        if (!wandered(from, pointer)) return;
        pulled = true;
        const move: DragMove = { handle, target: clampPoint(pointer.at) };
        bench.draft("Drag", (shot) => {
          const other = instructionsOf(shot)[index];
          if (joins && isDrag(other)) {
            other.moves.push(move);
            return { instruction: index, part: other.moves.length - 1 };
          }
          return {
            instruction: addInstruction(shot, {
              kind: "trajectory",
              form: "drag",
              moves: [move],
              ...(mask ? { region: mask } : {}),
              start: 0,
              end: 1,
              easing: "linear",
            }),
            part: 0,
          };
        });
      },
      end() {
        if (!pulled) return;
        bench.commit();
        if (mask) setSession({ dragRegion: null });
      },
    };
  },
};
