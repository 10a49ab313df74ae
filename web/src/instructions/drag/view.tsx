import type { DragTrajectory } from "../../document/shot";
import type { View } from "../view";
import { DragFields } from "./DragFields";

export const view: View<DragTrajectory> = {
  icons: { "trajectory.drag": "drag" },
  Fields: ({ instruction, selection }) => <DragFields drag={instruction} selection={selection} />,
};
