/** Numbers of a path: where it is at a time, how it moves on. */

import { moveKeyframe, pathOf, setEasing, setKeyframe, setValueAt } from "../../document/commands";
import { boxBetween, clampPoint } from "../../document/geometry";
import { frameOf, keyframeAt, timeOf, valueAt } from "../../document/keyframes";
import { EASINGS, type Easing, type PathTrajectory } from "../../document/shot";
import { type Selection, shotNow, useDocument } from "../../document/store";
import { scrub, usePlayhead } from "../../session/playhead";
import { Check, Row, Select } from "../../ui/fields";
import { NumberField } from "../../ui/NumberField";
import { change } from "../change";
import { EASING_NAMES } from "../easingNames";
import { PhraseFields } from "../PhraseFields";

const orNull = (place: number): number | null => (place < 0 ? null : place);

export function PathFields({ path, selection }: { path: PathTrajectory; selection: Selection }) {
  const { frame, frames } = usePlayhead();
  const index = selection.instruction;
  // What the stage shows is what is edited: the keyframe of this frame, or a new one.
  const time = timeOf(frame, frames);
  const chosen = selection.part === null ? undefined : path.path.keyframes[selection.part];
  const part =
    chosen && frameOf(chosen.time, frames) === frame
      ? selection.part
      : orNull(keyframeAt(path.path.keyframes, time, frames));
  const keyframe = part === null ? undefined : path.path.keyframes[part];
  const value = valueAt(path, time);
  const leaves = path.path.leaves_frame ?? false;
  const { perform } = useDocument.getState();
  const set = (axis: number, number: number | null) => {
    if (number === null) return;
    const next = [...value];
    next[axis] = number / 100;
    const kept =
      next.length === 4
        ? boxBetween([next[0] as number, next[1] as number], [next[2] as number, next[3] as number], leaves)
        : clampPoint([next[0] as number, next[1] as number], leaves);
    perform(`Enter a position at frame ${frame + 1}`, (shot) => {
      if (part === null) return { instruction: index, part: setValueAt(shot, index, time, kept, frames) };
      setKeyframe(shot, index, part, time, kept);
      return { instruction: index, part };
    });
  };
  const names = value.length === 4 ? ["Left %", "Top %", "Right %", "Bottom %"] : ["X %", "Y %"];
  return (
    <>
      <PhraseFields phrase={path.phrase ?? null} occurrence={path.occurrence ?? null} index={index} />
      <Row>
        {names.map((name, axis) => (
          <NumberField
            key={name}
            label={name}
            value={(value[axis] as number) * 100}
            decimals={1}
            min={leaves ? -400 : 0}
            max={leaves ? 500 : 100}
            step={1}
            onChange={(number) => set(axis, number)}
          />
        ))}
      </Row>
      <Row>
        <NumberField
          label={part !== null && selection.part === part ? "Keyframe at frame" : "At frame"}
          value={frame + 1}
          min={1}
          max={frames}
          onChange={(number) => {
            if (number === null) return;
            if (selection.part === null || selection.part !== part) {
              scrub(number - 1);
              return;
            }
            perform("Move a keyframe in time", (shot) => {
              moveKeyframe(shot, index, part, timeOf(number - 1, frames), frames);
              return { instruction: index, part };
            });
            const moved = pathOf(shotNow(), index)?.path.keyframes[part];
            if (moved) scrub(frameOf(moved.time, frames));
          }}
        />
        {path.form === "point" && (
          <NumberField
            label="Reach %"
            value={path.path.radius == null ? null : path.path.radius * 100}
            empty="default"
            min={1}
            max={100}
            onChange={(number) =>
              change<PathTrajectory>(index, "Set the reach", (chosen) => {
                if (chosen.form === "point") chosen.path.radius = number === null ? null : number / 100;
              })
            }
          />
        )}
      </Row>
      <Select
        label={keyframe ? "From here on" : "Between keyframes"}
        value={(keyframe ? keyframe.easing : path.path.easing) ?? (keyframe ? "" : "linear")}
        options={[
          ...(keyframe
            ? ([["", `As the path: ${EASING_NAMES[path.path.easing ?? "linear"]}`]] as const)
            : []),
          ...EASINGS.map((easing) => [easing, EASING_NAMES[easing]] as const),
        ]}
        onChange={(easing: Easing | "") =>
          perform("Ease", (shot) => {
            setEasing(shot, index, part, easing || null);
            return undefined;
          })
        }
      />
      <p className="hint">
        {keyframe
          ? `These are the numbers of the keyframe at frame ${frame + 1}.`
          : `Frame ${frame + 1} has no keyframe: changing a number makes one.`}
      </p>
      <Check
        label="May leave the frame"
        checked={leaves}
        onChange={(checked) =>
          change<PathTrajectory>(index, "Let it leave the frame", (chosen) => {
            chosen.path.leaves_frame = checked;
          })
        }
      />
    </>
  );
}
