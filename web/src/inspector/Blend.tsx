/** How much of the original an edit keeps: everywhere, over time, and in a region. */

import { blendOf, mixesWithParent, setBlend } from "../document/blend";
import type { BlendSettings, Shot } from "../document/shot";
import { useDocument } from "../document/store";
import { setSession } from "../session/session";
import { Button, IconButton } from "../ui/Button";
import { Select } from "../ui/fields";
import { NumberField } from "../ui/NumberField";
import { WeightCurve } from "./WeightCurve";

type Mode = "decided" | "even" | "over time";
const MODES: readonly (readonly [Mode, string])[] = [
  ["decided", "Automatic"],
  ["even", "Even"],
  ["over time", "Over time"],
];

export function Blend({ shot }: { shot: Shot }) {
  const blend = blendOf(shot) ?? {};
  const mode: Mode = blend.over_time ? "over time" : blend.weight == null ? "decided" : "even";
  const set = (label: string, recipe: (blend: BlendSettings) => void, merge?: string) =>
    useDocument.getState().perform(
      label,
      (draft) => {
        setBlend(draft, recipe);
        return undefined;
      },
      merge,
    );
  const choose = (wanted: Mode) =>
    set("Choose how the edit blends", (draft) => {
      const weight = draft.weight ?? draft.over_time?.[0]?.weight ?? 0.5;
      draft.weight = wanted === "even" ? weight : null;
      draft.over_time =
        wanted === "over time"
          ? [
              { time: 0, weight: 1 },
              { time: 1, weight: 1 - weight },
            ]
          : null;
    });
  return (
    <details className="panel methods">
      <summary className="panel-head">
        <h2>Blend</h2>
        <small className="panel-said">{said(blendOf(shot))}</small>
      </summary>
      <div className="panel-body">
        <p className="hint">
          How much of the original stays: 100 % keeps it, 0 % follows the edit. In a branch the original is
          the take it came from; under a drag, the picture before it.
        </p>
        <div className="segmented" role="radiogroup" aria-label="How the edit blends">
          {MODES.map(([name, words]) => (
            <button
              key={name}
              type="button"
              role="radio"
              aria-checked={name === mode}
              onClick={() => name !== mode && choose(name)}
            >
              {words}
            </button>
          ))}
        </div>
        {mode === "even" && (
          <label className="slider">
            Original
            <input
              type="range"
              min={0}
              max={1}
              step={0.01}
              value={blend.weight ?? 0.5}
              onChange={(event) => {
                const { valueAsNumber } = event.currentTarget;
                set(
                  "Blend",
                  (draft) => {
                    draft.weight = valueAsNumber;
                  },
                  "blend-weight",
                );
              }}
            />
            <output>{Math.round((blend.weight ?? 0.5) * 100)} %</output>
          </label>
        )}
        {blend.over_time && <WeightCurve weights={blend.over_time} />}
        <div className="blend-where">
          <span>{blend.region ? "In the outlined region" : "Everywhere in the frame"}</span>
          <span className="spring" />
          <Button
            tone="quiet"
            icon="region"
            onClick={() => setSession({ tool: "region", region: { shape: "lasso", use: "blend" } })}
          >
            {blend.region ? "Outline again" : "Outline a region"}
          </Button>
          {blend.region && (
            <IconButton
              icon="close"
              size={14}
              label="Use the whole frame again"
              onClick={() =>
                set("Let the edit act everywhere", (draft) => {
                  draft.region = null;
                  draft.feather = null;
                })
              }
            />
          )}
        </div>
        {blend.region && (
          <NumberField
            label="Soft edge, % of the frame"
            value={blend.feather == null ? null : blend.feather * 100}
            empty="default"
            min={0}
            max={50}
            onChange={(value) =>
              set("Soften the region's edge", (draft) => {
                draft.feather = value === null ? null : value / 100;
              })
            }
          />
        )}
        <Select
          label="Where the original comes from"
          value={blend.original ?? ""}
          options={[
            ["", "Automatic"],
            ["computed", "Run again alongside: exact, slower"],
            ["kept", "Steps kept of the take: no extra time"],
          ]}
          onChange={(value) =>
            set("Choose the original's side", (draft) => {
              draft.original = value || null;
            })
          }
        />
        {mixesWithParent(shot) && (
          <p className="hint">Used by branches only: a new take has no original to blend with.</p>
        )}
      </div>
    </details>
  );
}

/** The settings in a few words, for the folded panel. */
function said(blend: BlendSettings | null): string {
  if (!blend) return "";
  const much = blend.over_time
    ? "over time"
    : blend.weight == null
      ? ""
      : `${Math.round(blend.weight * 100)} % original`;
  return [much, blend.region ? "in a region" : ""].filter(Boolean).join(", ");
}
