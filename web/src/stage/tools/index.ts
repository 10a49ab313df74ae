/** The tools by name. */
import type { ToolName } from "../../tools/table";
import { drag } from "./drag";
import { brush, eraser } from "./paint";
import { boxPath, pin, pointPath } from "./paths";
import { region, target } from "./regions";
import { select } from "./select";
import type { Tool } from "./tool";

const hand: Tool = {
  cursor: "grab",
  press(bench, from) {
    let last = from.screen;
    return {
      move(pointer) {
        bench.pan(pointer.screen[0] - last[0], pointer.screen[1] - last[1]);
        last = pointer.screen;
      },
      end() {},
    };
  },
};

export const TOOLS: Record<ToolName, Tool> = {
  select,
  box: boxPath,
  point: pointPath,
  pin,
  drag,
  brush,
  eraser,
  region,
  target,
  hand,
};
