/** Which thing is meant. */

import type { TargetInstruction } from "../../document/shot";
import { setSession, useSession } from "../../session/session";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/fields";
import { change } from "../change";
import { PhraseFields } from "../PhraseFields";

export function TargetFields({ target, index }: { target: TargetInstruction; index: number }) {
  const session = useSession();
  return (
    <>
      <PhraseFields phrase={target.phrase} occurrence={target.occurrence ?? null} index={index} needed />
      <Select
        label="Role"
        value={target.role ?? "target"}
        options={[
          ["target", "It is acted on"],
          ["source", "It acts"],
        ]}
        onChange={(role) =>
          change<TargetInstruction>(index, "Choose the role", (chosen) => {
            chosen.role = role;
          })
        }
      />
      <Button
        icon="target"
        onClick={() =>
          setSession({ tool: "target", target: { ...session.target, role: target.role ?? "target" } })
        }
      >
        Mark it again
      </Button>
      <p className="hint">
        The mask shows which thing the words mean. It applies to the first frame, and the clip follows it.
      </p>
    </>
  );
}
