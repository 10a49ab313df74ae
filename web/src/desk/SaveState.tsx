/** Whether what lies on the desk is kept, and what a person can do where it is not. */
import { useLine } from "../api/events";
import { attempt, FREE_SPACE } from "../session/attempt";
import { keepMine, saveNow, takeTheirs, useSaving } from "../session/saving";

function Way({ label, act }: { label: string; act: () => void }) {
  return (
    <button type="button" className="link" onClick={act}>
      {label}
    </button>
  );
}

export function SaveState() {
  const { state, sentence, full } = useSaving();
  const line = useLine((current) => current.open);
  if (line === false)
    return (
      <span className="save-state save-bad" role="status">
        <span>Connection to the studio lost. Reconnecting…</span>
      </span>
    );
  if (state === "conflict")
    return (
      <span className="save-state save-bad" role="alert">
        <span>This shot was changed in another window too.</span>
        <Way label="Load that version" act={() => attempt(takeTheirs)} />
        <Way label="Keep this version" act={() => attempt(keepMine)} />
      </span>
    );
  if (state === "refused")
    return (
      <span className="save-state save-bad" role="alert">
        <span title={sentence ?? undefined}>Not saved: {sentence}</span>
        {full && <Way label={FREE_SPACE.label} act={FREE_SPACE.act} />}
        <Way label="Try again" act={() => attempt(saveNow)} />
      </span>
    );
  return (
    <span className="save-state" role="status">
      {state === "saved" ? "Saved" : "Saving…"}
    </span>
  );
}
