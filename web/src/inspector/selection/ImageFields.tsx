/** When and how strongly a picture is shown. */
import type { ImageInstruction } from "../../document/shot";
import { NumberField } from "../../ui/NumberField";
import { Row } from "../fields";
import { change } from "./change";

export function ImageFields({ image, index }: { image: ImageInstruction; index: number }) {
  return (
    <Row>
      <NumberField
        label="At % of the clip"
        value={(image.time ?? 0) * 100}
        min={0}
        max={100}
        onChange={(number) =>
          change<ImageInstruction>(index, "Time the picture", (chosen) => {
            chosen.time = (number ?? 0) / 100;
          })
        }
      />
      <NumberField
        label="Strength %"
        value={image.strength == null ? null : image.strength * 100}
        empty="default"
        min={0}
        max={100}
        onChange={(number) =>
          change<ImageInstruction>(index, "Set the strength", (chosen) => {
            chosen.strength = number === null ? null : number / 100;
          })
        }
      />
    </Row>
  );
}
