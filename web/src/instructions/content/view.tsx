import type { ContentInstruction } from "../../document/shot";
import type { View } from "../view";
import { ContentFields } from "./ContentFields";

export const view: View<ContentInstruction> = {
  icons: { content: "brush" },
  Fields: ({ instruction, selection }) => (
    <ContentFields content={instruction} index={selection.instruction} />
  ),
};
