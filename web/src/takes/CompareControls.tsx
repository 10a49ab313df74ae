/** Two takes in step: over one another with a wipe, or side by side. */
import type { Take } from "../api/client";
import { useTakes } from "../api/queries";
import { setSession, useSession } from "../session/session";
import { useViewed } from "../session/useViewed";
import { Button, IconButton } from "../ui/Button";

export function CompareControls({ compared }: { compared: boolean }) {
  const mode = useSession((session) => session.compareMode);
  const wipe = useSession((session) => session.wipe);
  const { take } = useViewed();
  const project = useSession((session) => session.project);
  const takes = (useTakes(project).data?.takes ?? []).filter(({ shot }) => shot === take?.shot);
  const few = !take || takes.length < 2;
  if (!compared)
    return (
      <Button
        tone="quiet"
        icon="compare"
        disabled={few}
        title={
          few
            ? "Compare two takes: this shot needs two"
            : "Compare two takes side by side (C), or shift-click another take"
        }
        onClick={() => startComparing(take, takes)}
      >
        Compare
      </Button>
    );
  return (
    <div className="take-actions" role="group" aria-label="Comparison">
      <IconButton
        icon="wipe"
        label="Wipe: one over the other"
        pressed={mode === "wipe"}
        size={16}
        onClick={() => setSession({ compareMode: "wipe" })}
      />
      <IconButton
        icon="side"
        label="Side by side"
        pressed={mode === "side"}
        size={16}
        onClick={() => setSession({ compareMode: "side" })}
      />
      {mode === "wipe" && (
        <input
          type="range"
          className="wipe"
          aria-label="Position of the wipe"
          min={0}
          max={1}
          step={0.01}
          value={wipe}
          onChange={(event) => setSession({ wipe: event.currentTarget.valueAsNumber })}
        />
      )}
      <Button tone="quiet" onClick={() => setSession({ compared: null })}>
        End comparison
      </Button>
    </div>
  );
}

/** Puts the nearest relative beside the take: its parent, else its newest branch, else the take before it. */
export function startComparing(take: Take | null, takes: readonly Take[]): void {
  if (!take) return;
  const own = takes.filter(({ shot }) => shot === take.shot);
  const other =
    own.find((candidate) => candidate.id === take.parent) ??
    own.findLast((candidate) => candidate.parent === take.id) ??
    own.findLast((candidate) => candidate.id !== take.id);
  if (other) setSession({ compared: { take: other.id, step: null } });
}
