/** What the tool in the hand can be set to, and one line that says how it is used. */
import type { ReactNode } from "react";
import { isPath } from "../document/shot";
import { useSelected } from "../document/store";
import { type Session, setSession, useSession } from "../session/session";
import { type ToolName, toolNamed } from "../tools/table";
import { Icon } from "../ui/Icon";

const SWATCHES = [
  ["#c0392b", "Red"],
  ["#e67e22", "Orange"],
  ["#f1c40f", "Yellow"],
  ["#27ae60", "Green"],
  ["#2980b9", "Blue"],
  ["#8e44ad", "Violet"],
  ["#e84393", "Pink"],
  ["#f5f1e8", "Cream"],
  ["#26211c", "Black"],
] as const;

function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  return (
    <div className="segmented" role="radiogroup" aria-label={label}>
      {options.map(([option, name]) => (
        <button
          key={option}
          type="button"
          role="radio"
          aria-checked={option === value}
          onClick={() => onChange(option)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

function Brush({ brush, colours }: { brush: Session["brush"]; colours: boolean }) {
  const change = (part: Partial<Session["brush"]>) => setSession({ brush: { ...brush, ...part } });
  return (
    <>
      {colours && (
        <div className="swatches" role="radiogroup" aria-label="Colour">
          {SWATCHES.map(([colour, name]) => (
            <button
              key={colour}
              type="button"
              role="radio"
              aria-checked={colour === brush.colour}
              aria-label={name}
              title={name}
              style={{ background: colour }}
              onClick={() => change({ colour })}
            />
          ))}
          <label className="swatch-own" title="Another colour">
            <span className="unseen">Another colour</span>
            <input
              type="color"
              value={brush.colour}
              onChange={(event) => change({ colour: event.currentTarget.value })}
            />
          </label>
        </div>
      )}
      <label className="slider">
        Size
        <input
          type="range"
          min={0.005}
          max={0.3}
          step={0.005}
          value={brush.width}
          onChange={(event) => change({ width: event.currentTarget.valueAsNumber })}
        />
        <output>{Math.round(brush.width * 100)}%</output>
      </label>
      {colours && (
        <label className="slider">
          Opacity
          <input
            type="range"
            min={0.05}
            max={1}
            step={0.05}
            value={brush.opacity}
            onChange={(event) => change({ opacity: event.currentTarget.valueAsNumber })}
          />
          <output>{Math.round(brush.opacity * 100)}%</output>
        </label>
      )}
    </>
  );
}

export function ToolOptions() {
  const session = useSession();
  const { tool, brush, region, target, phrase, dragRegion, recording } = session;
  const selectedPath = isPath(useSelected()?.[0]);
  const options: Partial<Record<ToolName, ReactNode>> = {
    brush: <Brush brush={brush} colours />,
    eraser: <Brush brush={brush} colours={false} />,
    region: (
      <>
        <Choice
          label="Shape"
          value={region.shape}
          options={[
            ["lasso", "Lasso"],
            ["box", "Box"],
          ]}
          onChange={(shape) => setSession({ region: { ...region, shape } })}
        />
        <Choice
          label="Use"
          value={region.use}
          options={[
            ["edit", "Edit it"],
            ["drag", "Drag it"],
            ["blend", "Blend it"],
          ]}
          onChange={(use) => setSession({ region: { ...region, use } })}
        />
      </>
    ),
    target: (
      <>
        <Choice
          label="Shape"
          value={target.shape}
          options={[
            ["lasso", "Lasso"],
            ["box", "Box"],
            ["brush", "Brush"],
          ]}
          onChange={(shape) => setSession({ target: { ...target, shape } })}
        />
        <Choice
          label="Role"
          value={target.role}
          options={[
            ["target", "It is acted on"],
            ["source", "It acts"],
          ]}
          onChange={(role) => setSession({ target: { ...target, role } })}
        />
        {target.shape === "brush" && <Brush brush={brush} colours={false} />}
      </>
    ),
  };
  return (
    <div className="tool-options" role="toolbar" aria-label="Options of the tool">
      {options[tool]}
      {phrase && (tool === "box" || tool === "point" || tool === "target") && (
        <span className="chip">
          for “{phrase}”
          <button type="button" aria-label="Not for these words" onClick={() => setSession({ phrase: null })}>
            ×
          </button>
        </span>
      )}
      {dragRegion && tool === "drag" && (
        <span className="chip">
          of what is outlined
          <button
            type="button"
            aria-label="Remove the outline"
            onClick={() => setSession({ dragRegion: null })}
          >
            ×
          </button>
        </span>
      )}
      {selectedPath && (tool === "select" || tool === "box" || tool === "point") && (
        <button
          type="button"
          className="tool-record"
          aria-pressed={recording}
          title="Your next drag becomes its path, at the pace of your hand  (M)"
          onClick={() => setSession({ recording: !recording })}
        >
          <Icon name="record" size={13} />
          Record its motion
        </button>
      )}
      <p className="tool-hint">
        {recording && selectedPath
          ? "Drag it now: your movement becomes its path, from this frame to the last. Escape cancels."
          : toolNamed(tool).hint}
      </p>
    </div>
  );
}
