/** The clip's size by its shape: presets in sizes that the model takes. */
import type { Model } from "../api/client";
import { RATIOS, shapeName, sizeOf } from "../document/shapes";
import type { Shot } from "../document/shot";
import { useDocument } from "../document/store";
import { Select } from "../ui/fields";

const said = (width: number, height: number) => `${width}x${height}`;

export function ClipShape({ shot, model }: { shot: Shot; model: Model | undefined }) {
  if (!model) return null;
  const { defaults, limits } = model;
  const width = shot.width ?? defaults.width;
  const height = shot.height ?? defaults.height;
  const area = defaults.width * defaults.height;
  const own = said(defaults.width, defaults.height);
  const options = new Map<string, string>([
    [own, `The model's own: ${defaults.width} × ${defaults.height}, ${shapeName(defaults)}`],
  ]);
  for (const [w, h] of limits.fixed ? [] : RATIOS) {
    const size = sizeOf(w / h, area, limits.size_multiple);
    const key = said(size.width, size.height);
    if (!options.has(key)) options.set(key, `${w}:${h}, ${size.width} × ${size.height}`);
  }
  const now = said(width, height);
  if (!options.has(now)) options.set(now, `${shapeName({ width, height })}, ${width} × ${height}`);
  return (
    <Select
      label="Shape"
      value={now}
      options={[...options]}
      onChange={(chosen) =>
        useDocument.getState().perform("Choose the clip's shape", (draft) => {
          const [w, h] = chosen.split("x").map(Number) as [number, number];
          // What is left to the model follows it to another model.
          draft.width = chosen === own ? null : w;
          draft.height = chosen === own ? null : h;
          return undefined;
        })
      }
    />
  );
}
