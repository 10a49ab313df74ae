/** Settings of the methods, folded away: each left empty is decided when the shot is planned for its model. */
import { can } from "../api/abilities";
import type { Model } from "../api/client";
import { useModels } from "../api/queries";
import type { ControlSettings, Shot } from "../document/shot";
import { useDocument } from "../document/store";
import { Problems } from "../session/Problems";
import { useProblemsOf } from "../session/readiness";
import { Check, Row, Select } from "../ui/fields";
import { NumberField } from "../ui/NumberField";
import { Choices } from "./Choices";
import { Fold } from "./Fold";

const DECIDED = ["", "Automatic"] as const;
const SITES = [
  ["cross", "pixel to word"],
  ["spatial", "pixel to pixel"],
  ["temporal", "frame to frame"],
] as const;
const PARTS = [
  ["down", "on the way down"],
  ["mid", "in the middle"],
  ["up", "on the way up"],
] as const;

export function Methods({ shot, model }: { shot: Shot; model: Model | undefined }) {
  const control = shot.control ?? {};
  const problems = useProblemsOf("control");
  const abilities = useModels().data?.abilities ?? [];
  const set = (label: string, recipe: (control: ControlSettings) => void) =>
    useDocument.getState().perform(label, (draft) => {
      draft.control ??= {};
      recipe(draft.control);
      return undefined;
    });
  const sites = (field: "mask_sites" | "normalization_sites", label: string) => (
    <Choices
      label={label}
      options={SITES}
      chosen={control[field] ?? null}
      onChange={(chosen) =>
        set(label, (draft) => {
          draft[field] = chosen;
        })
      }
    />
  );
  const choice = <T extends string>(
    field: "mask_variant" | "normalization" | "temporal_prior" | "initial_noise",
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
      empty="auto"
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
      empty="auto"
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
    <Fold className="panel methods" urged={problems.length > 0}>
      <summary className="panel-head">
        <h2>Advanced: how paths are followed</h2>
      </summary>
      <div className="panel-body">
        <p className="hint">
          What is left on automatic is chosen to suit the model. Steps are a count, or, below 1, a share of
          all steps: 0.1 is the first tenth.
        </p>
        <Problems problems={problems} />
        <Row>
          {steps("frozen_steps", "Masked steps")}
          <NumberField
            label="Shrink boxes by (cells)"
            value={control.mask_inset}
            empty="auto"
            min={0}
            max={4}
            step={0.5}
            onChange={(value) =>
              set("Draw the boxes in", (draft) => {
                draft.mask_inset = value;
              })
            }
          />
        </Row>
        {sites("mask_sites", "Attention masked")}
        <Choices
          label="UNet parts that are masked"
          options={PARTS}
          chosen={control.mask_parts ?? null}
          least={1}
          onChange={(chosen) =>
            set("Parts of a UNet that are masked", (draft) => {
              draft.mask_parts = chosen;
            })
          }
        />
        {choice("mask_variant", "Peekaboo's masks", [
          ["paper", "By its paper"],
          ["released", "As its released code has them"],
        ])}
        {choice("normalization", "Mask normalization", [
          ["none", "None"],
          ["global", "Over the frame"],
          ["regional", "For each region"],
        ])}
        <Row>{share("normalization_strength", "Normalization strength %")}</Row>
        {sites("normalization_sites", "Attention normalized")}
        {choice("temporal_prior", "Shared along the path", [
          ["none", "Nothing"],
          ["noise", "The predicted noise"],
          ["x0", "The clean picture"],
        ])}
        <Row>
          {share("temporal_prior_strength", "Sharing strength %")}
          {steps("temporal_prior_steps", "Sharing steps")}
        </Row>
        <Row>
          <NumberField
            label="Target raised, logits"
            value={control.target_attention}
            empty="not raised"
            min={0}
            max={100}
            step={0.5}
            onChange={(value) =>
              set("Raise attention to the target", (draft) => {
                draft.target_attention = value;
              })
            }
          />
          {steps("target_attention_steps", "Raised steps")}
        </Row>
        {choice("initial_noise", "Starting noise", [
          ["random", "Plain"],
          ["freetraj", "Carries the path"],
        ])}
        {((model && can(model, abilities, { setting: "frame_alignment" })) || control.frame_alignment) && (
          <Check
            label="Keep every frame close to the first picture"
            checked={control.frame_alignment ?? false}
            onChange={(checked) =>
              set("Align the frames", (draft) => {
                draft.frame_alignment = checked || null;
              })
            }
          />
        )}
      </div>
    </Fold>
  );
}
