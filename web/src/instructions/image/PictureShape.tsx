/** What can be done where a picture has another shape than the clip; what would be cut is seen on the stage. */
import { useEffect, useState } from "react";
import { imageUrl } from "../../api/addresses";
import type { Model } from "../../api/client";
import { onPicture, picture } from "../../canvas/strips";
import { type Size, shapeName, sizeOf } from "../../document/shapes";
import { type ImageInstruction, instructionsOf } from "../../document/shot";
import { useDocument, useShot } from "../../document/store";
import { attempt } from "../../session/attempt";
import { Button } from "../../ui/Button";
import {
  barredPicture,
  cutKey,
  cutOfImage,
  cutPicture,
  keepCut,
  replacePicture,
  useReshaping,
} from "./reshaping";

/** The picture at an address, null until it has arrived. */
export function usePicture(url: string | null): HTMLImageElement | null {
  const [, arrived] = useState(0);
  useEffect(() => onPicture(() => arrived((count) => count + 1)), []);
  return url ? picture(url) : null;
}

/** The shot's first picture of another shape, with its place; null where there is none, or its cut is meant. */
export function useMisshapen(frame: Size): { image: ImageInstruction; index: number } | null {
  const instructions = instructionsOf(useShot());
  const index = instructions.findIndex((instruction) => instruction.kind === "image");
  const image = instructions[index];
  const arrived = usePicture(image?.kind === "image" ? imageUrl(image.image) : null);
  const kept = useReshaping((state) => state.kept);
  if (image?.kind !== "image" || !cutOfImage(arrived, frame)) return null;
  return kept.includes(cutKey(image.image, frame)) ? null : { image, index };
}

export function PictureShape({
  image,
  index,
  frame,
  limits,
}: {
  image: ImageInstruction;
  index: number;
  frame: Size;
  /** Which sizes the model takes; undefined while it is looked at. */
  limits: Model["limits"] | undefined;
}) {
  const element = usePicture(imageUrl(image.image));
  const part = useReshaping((state) => state.part);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another picture is cut in its middle again
  useEffect(() => useReshaping.setState({ part: 0.5 }), [image.image]);
  const cut = cutOfImage(element, frame);
  if (!element || !cut) return null;
  const size = { width: element.naturalWidth, height: element.naturalHeight };
  const matched =
    limits && !limits.fixed
      ? sizeOf(size.width / size.height, frame.width * frame.height, limits.size_multiple)
      : null;
  const along = cut.axis === "x" ? "left and right" : "top and bottom";
  return (
    <section className="picture-shape" aria-label="Shape of the picture">
      <p>
        <b>
          The picture is {shapeName(size)}, the clip {shapeName(frame)}.
        </b>{" "}
        It covers the frame: {Math.round(cut.share * 100)} % of it is cut off, {along}.
      </p>
      <div className="picture-shape-acts">
        {matched && (
          <Button
            tone="primary"
            onClick={() =>
              useDocument.getState().perform("Match the clip to the picture", (shot) => {
                shot.width = matched.width;
                shot.height = matched.height;
                return undefined;
              })
            }
          >
            Match the clip: {matched.width} × {matched.height}
          </Button>
        )}
        <Button
          title="The bars become part of the picture, and so of the clip; the model may draw on in them."
          onClick={() =>
            attempt(() =>
              replacePicture(
                index,
                "Fit the picture with bars",
                "The picture has bars now.",
                barredPicture(element, frame),
              ),
            )
          }
        >
          Fit it in, with bars
        </Button>
        <Button onClick={() => keepCut(cutKey(image.image, frame))}>Keep the middle</Button>
      </div>
      <label className="slider">
        Show another part
        <input
          type="range"
          min={0}
          max={1}
          step={0.01}
          value={part}
          aria-valuetext={`${Math.round(part * 100)} % to the ${cut.axis === "x" ? "right" : "bottom"}`}
          onChange={(event) => useReshaping.setState({ part: event.currentTarget.valueAsNumber })}
        />
        <Button
          tone="quiet"
          disabled={part === 0.5}
          onClick={() =>
            attempt(() =>
              replacePicture(
                index,
                "Cut the picture",
                "The picture is that part now.",
                cutPicture(element, frame, part),
              ),
            )
          }
        >
          Use this part
        </Button>
      </label>
    </section>
  );
}
