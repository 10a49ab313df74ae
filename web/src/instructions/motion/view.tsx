import type { MotionInstruction } from "../../document/shot";
import type { View } from "../view";
import { MotionFields } from "./MotionFields";

export const view: View<MotionInstruction> = {
  icons: { motion: "motion" },
  Fields: ({ instruction, selection }) => <MotionFields motion={instruction} index={selection.instruction} />,
};
