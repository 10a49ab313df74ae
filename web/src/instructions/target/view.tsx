import type { TargetInstruction } from "../../document/shot";
import type { View } from "../view";
import { TargetFields } from "./TargetFields";

export const view: View<TargetInstruction> = {
  icons: { target: "target" },
  Fields: ({ instruction, selection }) => <TargetFields target={instruction} index={selection.instruction} />,
};
