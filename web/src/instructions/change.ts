/** Changes of the selected instruction. */
import { type Instruction, instructionsOf } from "../document/shot";
import { useDocument } from "../document/store";

/** Changes the selected instruction in place. */
export function change<T extends Instruction>(
  index: number,
  label: string,
  recipe: (instruction: T) => void,
  merge?: string,
): void {
  useDocument.getState().perform(
    label,
    (shot) => {
      const instruction = instructionsOf(shot)[index];
      if (instruction) recipe(instruction as T);
      return undefined;
    },
    merge,
  );
}
