import type { ImageInstruction } from "../../document/shot";
import type { View } from "../view";
import { ImageFields } from "./ImageFields";

export const view: View<ImageInstruction> = {
  icons: { image: "image" },
  Fields: ({ instruction, selection }) => <ImageFields image={instruction} index={selection.instruction} />,
};
