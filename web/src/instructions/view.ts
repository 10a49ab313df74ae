/** How each kind of instruction is shown: one `view.tsx` in a folder of its own for each. */
import type { ComponentType } from "react";
import type { Instruction } from "../document/shot";
import type { Selection } from "../document/store";
import type { IconName } from "../ui/Icon";

export interface View<I extends Instruction = Instruction> {
  /** Its icon, by the instruction's kind and, for trajectories, its form: `image`, `trajectory.box`. */
  icons: Readonly<Record<string, IconName>>;
  /** What of the selected one can be set. */
  Fields: ComponentType<{ instruction: I; selection: Selection }>;
}

const VIEWS = Object.values(
  import.meta.glob<View<never>>("./*/view.tsx", { eager: true, import: "view" }),
) as unknown as readonly View[];

const told = (instruction: Instruction): string =>
  instruction.kind === "trajectory" ? `trajectory.${instruction.form}` : instruction.kind;

/** How an instruction is shown. */
export function viewOf(instruction: Instruction): View {
  const name = told(instruction);
  const found = VIEWS.find(({ icons }) => name in icons);
  if (!found) throw new Error(`no folder among the instructions is for ${name}`);
  return found;
}

export const iconOf = (instruction: Instruction): IconName =>
  viewOf(instruction).icons[told(instruction)] as IconName;
