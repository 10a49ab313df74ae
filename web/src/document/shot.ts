/** The shot document, typed from its JSON Schema. Positions and times are fractions in [0, 1]. */
import type { components } from "./shot.schema";

type Schemas = components["schemas"];

export type Shot = Schemas["Shot"];
export type Instruction = NonNullable<Shot["instructions"]>[number];
export type BoxTrajectory = Schemas["BoxTrajectory"];
export type PointTrajectory = Schemas["PointTrajectory"];
export type DragTrajectory = Schemas["DragTrajectory"];
export type DragMove = Schemas["DragMove"];
export type ContentInstruction = Schemas["ContentInstruction"];
export type ImageInstruction = Schemas["ImageInstruction"];
export type MotionInstruction = Schemas["MotionInstruction"];
export type TargetInstruction = Schemas["TargetInstruction"];
export type BoxKeyframe = Schemas["BoxKeyframe"];
export type PointKeyframe = Schemas["PointKeyframe"];
export type ControlSettings = Schemas["ControlSettings"];
export type BlendSettings = Schemas["BlendSettings"];
export type WeightKeyframe = Schemas["WeightKeyframe"];
export type Box = Schemas["Box"];
export type Mask = Schemas["Mask"];
export type Stroke = Schemas["Stroke"];
export type Point = [number, number];
export type Easing = NonNullable<BoxKeyframe["easing"]>;

/** A trajectory with keyframes. */
export type PathTrajectory = BoxTrajectory | PointTrajectory;

export const EASINGS: readonly Easing[] = ["linear", "ease-in", "ease-out", "ease-in-out", "hold"];

export const instructionsOf = (shot: Shot): Instruction[] => shot.instructions ?? [];

export const isPath = (instruction: Instruction | undefined): instruction is PathTrajectory =>
  instruction?.kind === "trajectory" && instruction.form !== "drag";

export const isBoxPath = (instruction: Instruction | undefined): instruction is BoxTrajectory =>
  instruction?.kind === "trajectory" && instruction.form === "box";

export const isDrag = (instruction: Instruction | undefined): instruction is DragTrajectory =>
  instruction?.kind === "trajectory" && instruction.form === "drag";

/** What a model is called on the desk: a folder by its own name, without the way there. */
export const modelTitle = (name: string): string =>
  /^[/.~]|^[A-Za-z]:\\/.test(name) ? (name.split(/[/\\]/).findLast(Boolean) ?? name) : name;

/** What an instruction is called on the desk. */
export function nameOf(instruction: Instruction): string {
  switch (instruction.kind) {
    case "image":
      if (!instruction.time) return "First picture";
      return instruction.time === 1 ? "End picture" : `Picture at ${Math.round(instruction.time * 100)} %`;
    case "content":
      if (instruction.strokes?.length) return "Paint";
      return instruction.prompt ? `Edit: ${instruction.prompt}` : "Edit";
    case "motion":
      return "Motion";
    case "target":
      return (
        (instruction.role === "source" ? "Source" : "Target") +
        (instruction.phrase ? `: ${instruction.phrase}` : "")
      );
    case "trajectory":
      if (instruction.form === "drag") return instruction.moves.length > 1 ? "Drags" : "Drag";
      if (instruction.phrase) return instruction.phrase;
      if (instruction.form === "box") return "Whatever is in the box";
      return instruction.path.keyframes.length > 1 ? "Whatever is under the point" : "Pin";
  }
}

/** What a person gets on the first visit: plays in one click. */
export const EXAMPLE: Shot = {
  version: 1,
  prompt: "a red ball over the meadow",
  model: "theatre-video",
  seed: 7,
  instructions: [
    {
      kind: "trajectory",
      form: "box",
      phrase: "red ball",
      path: {
        easing: "linear",
        leaves_frame: false,
        keyframes: [
          { time: 0, box: [0.06, 0.42, 0.36, 0.72] },
          { time: 0.5, box: [0.35, 0.12, 0.65, 0.42], easing: "ease-in" },
          { time: 1, box: [0.64, 0.42, 0.94, 0.72] },
        ],
      },
    },
  ],
  control: {},
};
