/** Settings of the methods, folded away: each left empty is decided when the shot is planned for its model. */
import type { ControlSettings, Shot } from "../document/shot";
import { useDocument } from "../document/store";
import { NumberField } from "../ui/NumberField";
import { Row, Select } from "./fields";

const DECIDED = ["", "Decided for the model"] as const;
type Site = "cross" | "spatial" | "temporal";
const SITES: readonly (readonly [Site, string])[] = [
  ["cross", "pixel to word"],
  ["spatial", "pixel to pixel"],
  ["temporal", "frame to frame"],
];

export function Methods({ shot }: { shot: Shot }) {
  const control = shot.control ?? {};
  const set = (label: string, recipe: (control: ControlSettings) => void) =>
    useDocument.getState().perform(label, (draft) => {
      draft.control ??= {};
      recipe(draft.control);
      return undefined;
    });
  const sites = (field: "mask_sites" | "normalization_sites", name: string) => {
    const chosen = control[field] ?? null;
    return (
      <fieldset className="sites">
        <legend>{name}</legend>
        {SITES.map(([site, words]) => (
          <label key={site} className="check" data-decided={chosen === null}>
            <input
              type="checkbox"
              checked={chosen?.includes(site) ?? false}
              onChange={(event) => {
                const { checked } = event.currentTarget;
                set(name, (draft) => {
                  const rest = (draft[field] ?? []).filter((other) => other !== site);
                  draft[field] = checked ? [...rest, site] : rest;
                });
              }}
            />
            {words}
          </label>
        ))}
        {chosen !== null && (
          <button
            type="button"
            className="link"
            onClick={() =>
              set(name, (draft) => {
                draft[field] = null;
              })
            }
          >
            leave it to the model
          </button>
        )}
      </fieldset>
    );
  };
  const choice = <T extends string>(
    field: "normalization" | "temporal_prior" | "initial_noise",
    label: string,
    options: readonly (readonly [T, string])[],
  ) => (
    <Select<string>
      label={label}
      value={(control[field] as string | null | undefined) ?? ""}
      options={[DECIDED, ...options]}
      onChange={(value) =>
        set(label, (draft) => {
          (draft as Record<string, unknown>)[field] = value || null;
        })
      }
    />
  );
  const steps = (
    field: "frozen_steps" | "temporal_prior_steps" | "target_attention_steps",
    label: string,
  ) => (
    <NumberField
      label={label}
      value={control[field]}
      empty="decided"
      min={0}
      max={1000}
      onChange={(value) =>
        set(label, (draft) => {
          // 1 and more is a count of steps, below 1 a part of them.
          draft[field] = value !== null && value >= 1 ? Math.round(value) : value;
        })
      }
    />
  );
  const share = (field: "normalization_strength" | "temporal_prior_strength", label: string) => (
    <NumberField
      label={label}
      value={control[field] == null ? null : (control[field] as number) * 100}
      empty="decided"
      min={0}
      max={100}
      onChange={(value) =>
        set(label, (draft) => {
          draft[field] = value === null ? null : value / 100;
        })
      }
    />
  );
  return (
    <details className="panel methods">
      <summary className="panel-head">
        <h2>Methods</h2>
      </summary>
      <div className="panel-body">
        <Row>{steps("frozen_steps", "Masked steps")}</Row>
        {sites("mask_sites", "Attention masked")}
        {choice("normalization", "Mask normalization", [
          ["none", "None"],
          ["global", "Over the frame"],
          ["regional", "For each region"],
        ])}
        <Row>{share("normalization_strength", "Its strength %")}</Row>
        {choice("temporal_prior", "Shared along the path", [
          ["none", "Nothing"],
          ["noise", "The predicted noise"],
          ["x0", "The clean picture"],
        ])}
        <Row>
          {share("temporal_prior_strength", "Its strength %")}
          {steps("temporal_prior_steps", "Its steps")}
        </Row>
        <Row>
          <NumberField
            label="Target, logits"
            value={control.target_attention}
            empty="decided"
            min={0}
            max={100}
            step={0.5}
            onChange={(value) =>
              set("Target attention", (draft) => {
                draft.target_attention = value;
              })
            }
          />
          {steps("target_attention_steps", "Its steps")}
        </Row>
        {choice("initial_noise", "Starting noise", [
          ["random", "Plain"],
          ["freetraj", "Carries the path"],
        ])}
      </div>
    </details>
  );
}
