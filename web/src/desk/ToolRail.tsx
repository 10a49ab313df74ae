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
    { tool: "select", label: "Select: move and change what is drawn", keys: "V", ability: null },
    { tool: "hand", label: "Hand: move the view", keys: "H", ability: null },
  ],
  [
    {
      tool: "box",
      label: "Box path: a subject stays in a box that moves",
      keys: "R",
      ability: "trajectory.box",
    },
    {
      tool: "point",
      label: "Point path: a subject follows the line you draw",
      keys: "P",
      ability: "trajectory.point",
    },
    { tool: "pin", label: "Pin: what is here stays still", keys: "I", ability: "trajectory.point" },
    {
      tool: "drag",
      label: "Drag: pull something in the picture to another place",
      keys: "D",
      ability: "trajectory.drag",
    },
  ],
  [
    {
      tool: "brush",
      label: "Brush: paint, and the model turns the paint into something real",
      keys: "B",
      ability: "content",
    },
    { tool: "eraser", label: "Eraser: remove paint", keys: "E", ability: "content" },
    { tool: "region", label: "Region: outline a part to edit, drag or blend", keys: "L", ability: "content" },
    { tool: "target", label: "Target: mark the one thing that the words mean", keys: "T", ability: "target" },
  ],
];

/** What a tool is called where the shot's model does not follow it: with the models that do. */
function foreignLabel(label: string, ability: string, models: readonly Model[]): string {
  const able = models
    .filter(({ abilities }) => abilities.includes(ability))
    .map(({ name }) => modelTitle(name));
  return able.length
    ? `${label}. This model cannot; ${able.join(" and ")} can`
    : `${label}. No model of this studio follows it`;
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
