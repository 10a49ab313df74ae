/** Which thing is meant. */
import type { TargetInstruction } from "../../document/shot";
import { Select } from "../fields";
import { change } from "./change";
import { PhraseFields } from "./PhraseFields";

export function TargetFields({ target, index }: { target: TargetInstruction; index: number }) {
  return (
    <>
      <PhraseFields phrase={target.phrase} occurrence={target.occurrence ?? null} index={index} />
      <Select
        label="Role"
        value={target.role ?? "target"}
        options={[
          ["target", "It is acted upon"],
          ["source", "It acts"],
        ]}
        onChange={(role) =>
          change<TargetInstruction>(index, "Choose the role", (chosen) => {
            chosen.role = role;
          })
        }
      />
    </>
  );
}
