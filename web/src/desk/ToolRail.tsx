/** The tools at the left edge of the stage. */
import { Fragment } from "react";
import { IconButton } from "../ui/Button";
import type { IconName } from "../ui/Icon";
import { setSession, type ToolName, useSession } from "./session";

interface Entry {
  tool: ToolName;
  label: string;
  keys: string;
  /** The ability a model must have for it to matter. */
  ability: string | null;
}

export const TOOL_GROUPS: readonly (readonly Entry[])[] = [
  [
    { tool: "select", label: "Select", keys: "V", ability: null },
    { tool: "hand", label: "Move the stage", keys: "H", ability: null },
  ],
  [
    { tool: "box", label: "Box path", keys: "R", ability: "trajectory.box" },
    { tool: "point", label: "Point path", keys: "P", ability: "trajectory.point" },
    { tool: "pin", label: "Pin", keys: "I", ability: "trajectory.point" },
    { tool: "drag", label: "Drag", keys: "D", ability: "trajectory.drag" },
  ],
  [
    { tool: "brush", label: "Brush", keys: "B", ability: "content" },
    { tool: "eraser", label: "Eraser", keys: "E", ability: "content" },
    { tool: "region", label: "Region", keys: "L", ability: "content" },
    { tool: "target", label: "Target", keys: "T", ability: "target" },
  ],
];

export function ToolRail({ abilities }: { abilities: readonly string[] | null }) {
  const tool = useSession((session) => session.tool);
  return (
    <nav className="tool-rail" aria-label="Tools">
      {TOOL_GROUPS.map((group, i) => (
        <Fragment key={group[0]?.tool}>
          {i > 0 && <hr />}
          {group.map((entry) => {
            const foreign =
              abilities !== null && entry.ability !== null && !abilities.includes(entry.ability);
            return (
              <IconButton
                key={entry.tool}
                icon={entry.tool as IconName}
                label={foreign ? `${entry.label}: this shot's model does not follow it` : entry.label}
                keys={entry.keys}
                pressed={tool === entry.tool}
                className={foreign ? "tool tool-foreign" : "tool"}
                size={20}
                onClick={() => setSession({ tool: entry.tool })}
              />
            );
          })}
        </Fragment>
      ))}
    </nav>
  );
}
