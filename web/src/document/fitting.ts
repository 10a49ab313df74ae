/** What a shot asks for that its model does not do, said before anything runs. */
import { abilityOf, type Instruction, instructionsOf, isPath, modelTitle, nameOf, type Shot } from "./shot";

interface Able {
  name: string;
  abilities: string[];
}

export interface Misfit {
  /** The instruction's place. */
  index: number;
  /** What the instruction is called on the desk. */
  name: string;
  sentence: string;
  /** Models that could. */
  models: string[];
}

/** What an instruction is, in the words of a sentence. */
function kindOf(instruction: Instruction): string {
  switch (abilityOf(instruction)) {
    case "image":
      return "pictures";
    case "content":
      return "paint and edits";
    case "motion":
      return "motion in words";
    case "target":
      return "target masks";
    case "trajectory.drag":
      return "drags";
    case "trajectory.point":
      return "point paths";
    default:
      return "box paths";
  }
}

/** A path that names no words drags what the picture shows there: a matter of models that start from one. */
const needsPicture = (instruction: Instruction): boolean => isPath(instruction) && instruction.phrase == null;

export function misfits(shot: Shot, model: Able, models: readonly Able[]): Misfit[] {
  return instructionsOf(shot).flatMap((instruction, index) => {
    const able = ({ abilities }: Able) =>
      abilities.includes(abilityOf(instruction)) &&
      (!needsPicture(instruction) || abilities.includes("image"));
    if (able(model)) return [];
    const name = nameOf(instruction);
    const others = models
      .filter((other) => other.name !== model.name && able(other))
      .map((other) => other.name);
    if (model.abilities.includes(abilityOf(instruction)))
      return [
        {
          index,
          name,
          sentence: `${modelTitle(model.name)} starts from no picture: say which words of the prompt “${name}” means.`,
          models: others,
        },
      ];
    const remedy = others.length
      ? "Use a model that can, or remove it."
      : "No model of this studio can: remove it, or start the studio with one that does.";
    return [
      {
        index,
        name,
        sentence: `${modelTitle(model.name)} cannot act on ${kindOf(instruction)} (${name}). ${remedy}`,
        models: others,
      },
    ];
  });
}
