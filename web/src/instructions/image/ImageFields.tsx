/** When and how strongly a picture is shown. */
import { imageUrl } from "../../api/addresses";
import { useModels } from "../../api/queries";
import type { ImageInstruction } from "../../document/shot";
import { useShot } from "../../document/store";
import { Row } from "../../ui/fields";
import { NumberField } from "../../ui/NumberField";
import { change } from "../change";
import { usePicture } from "./PictureShape";
import { cutKey, cutOfImage, reconsiderCut, useReshaping } from "./reshaping";

export function ImageFields({ image, index }: { image: ImageInstruction; index: number }) {
  return (
    <>
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
      <CutOff image={image} />
    </>
  );
}

/** What the frame cuts off of the picture, and the way back to what can be done about it. */
function CutOff({ image }: { image: ImageInstruction }) {
  const shot = useShot();
  const models = useModels().data;
  const defaults = models?.models.find(({ name }) => name === (shot.model ?? models.default))?.defaults;
  const frame = { width: shot.width ?? defaults?.width ?? 1, height: shot.height ?? defaults?.height ?? 1 };
  const cut = cutOfImage(usePicture(defaults ? imageUrl(image.image) : null), frame);
  const key = cutKey(image.image, frame);
  const kept = useReshaping((state) => state.kept.includes(key));
  if (!cut) return null;
  return (
    <p className="hint">
      {Math.round(cut.share * 100)} % of the picture is cut off,{" "}
      {cut.axis === "x" ? "left and right" : "top and bottom"}.{" "}
      {kept && (
        <button type="button" className="word" onClick={() => reconsiderCut(key)}>
          Change that
        </button>
      )}
    </p>
  );
}
