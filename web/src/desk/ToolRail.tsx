/** The tools at the left edge of the stage. */
import { Fragment } from "react";
import type { Model } from "../api/client";
import { useModels } from "../api/queries";
import { modelTitle } from "../document/shot";
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

/** What a tool is called where the shot's model does not follow it: with the models that do. */
function foreignLabel(label: string, ability: string, models: readonly Model[]): string {
  const able = models
    .filter(({ abilities }) => abilities.includes(ability))
    .map(({ name }) => modelTitle(name));
  return able.length
    ? `${label}: this model does not follow it. ${able.join(" and ")} can`
    : `${label}: no model of this studio follows it`;
}

export function ToolRail({ abilities }: { abilities: readonly string[] | null }) {
  const tool = useSession((session) => session.tool);
  const models = useModels().data?.models ?? [];
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
                label={foreign ? foreignLabel(entry.label, entry.ability as string, models) : entry.label}
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
