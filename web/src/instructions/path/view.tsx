import type { PathTrajectory } from "../../document/shot";
import type { View } from "../view";
import { PathFields } from "./PathFields";

export const view: View<PathTrajectory> = {
  icons: { "trajectory.box": "box", "trajectory.point": "point" },
  Fields: ({ instruction, selection }) => <PathFields path={instruction} selection={selection} />,
};
