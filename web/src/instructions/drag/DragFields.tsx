/** Numbers of a drag. */
import { type DragTrajectory, EASINGS } from "../../document/shot";
import type { Selection } from "../../document/store";
import { Row, Select } from "../../ui/fields";
import { NumberField } from "../../ui/NumberField";
import { change } from "../change";
import { EASING_NAMES } from "../easingNames";

export function DragFields({ drag, selection }: { drag: DragTrajectory; selection: Selection }) {
  const index = selection.instruction;
  const place = selection.part ?? 0;
  const move = drag.moves[place];
  const set = (end: "handle" | "target", axis: 0 | 1, number: number | null) =>
    number !== null &&
    change<DragTrajectory>(index, "Enter a position", (chosen) => {
      const changed = chosen.moves[place];
      if (changed) changed[end][axis] = number / 100;
    });
  return (
    <>
      {move && (
        <Row>
          {(["handle", "target"] as const).flatMap((end) =>
            ([0, 1] as const).map((axis) => (
              <NumberField
                key={`${end}${axis}`}
                label={`${end === "handle" ? "From" : "To"} ${axis ? "Y" : "X"} %`}
                value={move[end][axis] * 100}
                min={0}
                max={100}
                onChange={(number) => set(end, axis, number)}
              />
            )),
          )}
        </Row>
      )}
      <Row>
        {(["start", "end"] as const).map((end) => (
          <NumberField
            key={end}
            label={end === "start" ? "Begins at %" : "Arrives at %"}
            value={(drag[end] ?? (end === "start" ? 0 : 1)) * 100}
            min={0}
            max={100}
            onChange={(number) =>
              number !== null &&
              change<DragTrajectory>(index, "Time the drag", (chosen) => {
                chosen[end] = number / 100;
              })
            }
          />
        ))}
      </Row>
      <Select
        label="Pace"
        value={drag.easing ?? "linear"}
        options={EASINGS.map((easing) => [easing, EASING_NAMES[easing]] as const)}
        onChange={(easing) =>
          change<DragTrajectory>(index, "Ease", (chosen) => {
            chosen.easing = easing;
          })
        }
      />
      <Select
        label="Method"
        value={drag.method ?? ""}
        options={[
          ["", "The default"],
          ["warp", "Elastic, instant"],
          ["optimise", "By the model's features"],
        ]}
        onChange={(method) =>
          change<DragTrajectory>(index, "Choose the method", (chosen) => {
            chosen.method = method || null;
          })
        }
      />
      <p className="hint">
        {drag.region
          ? "What is outlined is dragged."
          : "What is dragged is found from the handles. Outline it with the region tool to say it yourself."}
      </p>
    </>
  );
}
