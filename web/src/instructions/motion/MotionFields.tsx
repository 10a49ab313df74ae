/** Motion in words and measure. */
import type { MotionInstruction } from "../../document/shot";
import { Check, Row, Select, TextField } from "../../ui/fields";
import { NumberField } from "../../ui/NumberField";
import { change } from "../change";

export function MotionFields({ motion, index }: { motion: MotionInstruction; index: number }) {
  const named =
    typeof motion.magnitude === "string" ? motion.magnitude : motion.magnitude == null ? "" : "number";
  return (
    <>
      <TextField
        label="What moves, and how"
        value={motion.text ?? ""}
        placeholder="what the shot's prompt says"
        onChange={(value) =>
          change<MotionInstruction>(
            index,
            "Write the motion",
            (chosen) => {
              chosen.text = value || null;
            },
            `motion-${index}`,
          )
        }
      />
      <Row>
        <Select
          label="How much"
          value={named}
          options={[
            ["", "The model's default"],
            ["small", "Small"],
            ["moderate", "Moderate"],
            ["large", "Large"],
            ["number", "A number"],
          ]}
          onChange={(value) =>
            change<MotionInstruction>(index, "Set how much moves", (chosen) => {
              chosen.magnitude = value === "" ? null : value === "number" ? 0.5 : (value as "small");
            })
          }
        />
        {typeof motion.magnitude === "number" && (
          <NumberField
            label="How much, %"
            value={motion.magnitude * 100}
            min={0}
            max={100}
            onChange={(number) =>
              change<MotionInstruction>(index, "Set how much moves", (chosen) => {
                chosen.magnitude = (number ?? 50) / 100;
              })
            }
          />
        )}
      </Row>
      <Check
        label="The last frame leads back to the first"
        checked={motion.loop ?? false}
        onChange={(loop) =>
          change<MotionInstruction>(index, "Loop", (chosen) => {
            chosen.loop = loop;
          })
        }
      />
      <Check
        label="The model may change the picture's style"
        checked={motion.restyle ?? false}
        onChange={(restyle) =>
          change<MotionInstruction>(index, "Restyle", (chosen) => {
            chosen.restyle = restyle;
          })
        }
      />
    </>
  );
}
