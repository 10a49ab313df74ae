/** The tools at the left edge of the stage. */
import { Fragment } from "react";
import { can, lacking } from "../api/abilities";
import type { Ability, Model } from "../api/client";
import { useModels } from "../api/queries";
import { modelTitle } from "../document/shot";
import { setSession, useSession } from "../session/session";
import { type Drawn, labelOf, TOOL_GROUPS } from "../tools/table";
import { IconButton } from "../ui/Button";

/** What keeps the shot's model from following what a tool draws, with the models that do; null for nothing. */
function hindrance(
  drawn: Drawn | null,
  model: Model | undefined,
  models: readonly Model[],
  table: readonly Ability[],
): string | null {
  const [first] = model && drawn ? lacking(model, table, drawn) : [];
  if (!first || !drawn) return null;
  const able = models.filter((other) => can(other, table, drawn)).map(({ name }) => modelTitle(name));
  return able.length
    ? `This model cannot ${first.label}; ${able.join(" and ")} can`
    : `No model of this studio can ${first.label}`;
}

export function ToolRail({ model }: { model: Model | undefined }) {
  const tool = useSession((session) => session.tool);
  const region = useSession((session) => session.region);
  const target = useSession((session) => session.target);
  const { models = [], abilities = [] } = useModels().data ?? {};
  return (
    <nav className="tool-rail" aria-label="Tools">
      {TOOL_GROUPS.map((group, i) => (
        <Fragment key={group[0]?.name}>
          {i > 0 && <hr />}
          {group.map((entry) => {
            const hindered = hindrance(entry.draws({ region, target }), model, models, abilities);
            return (
              <IconButton
                key={entry.name}
                icon={entry.icon}
                label={hindered ? `${labelOf(entry)}. ${hindered}` : labelOf(entry)}
                keys={entry.key.toUpperCase()}
                pressed={tool === entry.name}
                className={hindered ? "tool tool-foreign" : "tool"}
                size={20}
                onClick={() => setSession({ tool: entry.name })}
              />
            );
          })}
        </Fragment>
      ))}
    </nav>
  );
}
