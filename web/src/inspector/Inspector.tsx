/** The right side: what is asked for, the selected part of it, the clip, the blend, the methods. */
import type { Model } from "../api/client";
import { useShot } from "../document/store";
import { Blend } from "./Blend";
import { ClipSettings } from "./ClipSettings";
import { Instructions } from "./Instructions";
import { Methods } from "./Methods";
import { SelectionPanel } from "./SelectionPanel";

export function Inspector({
  model,
  models,
  schedulers,
}: {
  model: Model | undefined;
  models: Model[];
  schedulers: string[];
}) {
  const shot = useShot();
  return (
    <aside className="inspector" aria-label="Inspector">
      <Instructions />
      <SelectionPanel />
      <ClipSettings shot={shot} model={model} models={models} schedulers={schedulers} />
      <Blend shot={shot} />
      <Methods shot={shot} model={model} />
    </aside>
  );
}
