/** What can be done to the take that is looked at. */
import { useState } from "react";
import { withoutOriginal } from "../document/blend";
import { fingerprint } from "../document/same";
import { useDocument, useShot } from "../document/store";
import { deleteTake, nameTake, pinTake } from "../run/actions";
import { attempt } from "../session/attempt";
import { useViewed } from "../session/useViewed";
import { Button, IconButton } from "../ui/Button";
import { say } from "../ui/toasts";

/** Pin, name, delete, and the take's own shot. */
export function TakeActions() {
  const { take, detail } = useViewed();
  const shot = useShot();
  const [naming, setNaming] = useState<string | null>(null);
  if (!take) return null;
  const asked = detail?.parent === null ? withoutOriginal(shot) : shot;
  const differs = detail !== null && fingerprint(detail.document) !== fingerprint(asked);
  if (naming !== null)
    return (
      <form
        className="naming"
        onSubmit={(event) => {
          event.preventDefault();
          const name = naming.trim();
          setNaming(null);
          if (name && name !== take.name) attempt(() => nameTake(take, name));
        }}
      >
        <input
          // biome-ignore lint/a11y/noAutofocus: the person asked to write here
          autoFocus
          aria-label="Name of the take"
          value={naming}
          onChange={(event) => setNaming(event.currentTarget.value)}
          onBlur={() => setNaming(null)}
          onKeyDown={(event) => event.key === "Escape" && setNaming(null)}
        />
      </form>
    );
  return (
    <div className="take-actions" role="group" aria-label={`${take.name}`}>
      {differs && detail && (
        <Button
          tone="quiet"
          title={`Puts the prompt, drawings and settings of ${take.name} on the desk; Undo brings yours back`}
          onClick={() => {
            useDocument.getState().lay(`Load the settings of ${take.name}`, detail.document);
            say(`The settings of ${take.name} are loaded.`, {
              label: "Undo",
              act: () => useDocument.getState().undo(),
            });
          }}
        >
          Load settings
        </Button>
      )}
      <Button tone="quiet" onClick={() => setNaming(take.name)}>
        Rename
      </Button>
      <IconButton
        icon="pin"
        label={
          take.pinned
            ? "Unpin: freeing disk space may drop steps of this take"
            : "Pin: always keep every step of this take"
        }
        pressed={take.pinned}
        size={16}
        onClick={() => attempt(() => pinTake(take))}
      />
      <IconButton
        icon="trash"
        label={`Delete ${take.name}`}
        size={16}
        onClick={() => attempt(() => deleteTake(take))}
      />
    </div>
  );
}
