/** A picture of another shape than the clip, made to fit: a part of it, or the whole with bars. */
import { create } from "zustand";
import { coveringPart, cutOf, type Size } from "../../document/shapes";
import { instructionsOf } from "../../document/shot";
import { useDocument } from "../../document/store";
import { uploadImage } from "../../session/dropping";
import { say } from "../../ui/toasts";

interface Reshaping {
  /** Where the frame lies on the picture that is being cut: 0.5 is its middle. */
  part: number;
  /** Pictures whose cut was seen and is meant, each with the shape of the frame. */
  kept: readonly string[];
}

export const useReshaping = create<Reshaping>(() => ({ part: 0.5, kept: [] }));

export const cutKey = (reference: string, { width, height }: Size): string =>
  `${reference} ${(width / height).toFixed(3)}`;

/** The cut is as it should be: nothing more is offered for it. */
export function keepCut(key: string): void {
  useReshaping.setState(({ kept }) => ({ part: 0.5, kept: [...kept, key] }));
}

/** Offers again what can be done about the cut. */
export function reconsiderCut(key: string): void {
  useReshaping.setState(({ kept }) => ({ kept: kept.filter((other) => other !== key) }));
}

const LARGEST = 4096;

function sheet(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  return canvas.getContext("2d") as CanvasRenderingContext2D;
}

const asFile = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("the picture could not be drawn anew")))),
  );

/** The mean colour of a picture's rim. */
function rimColour(image: HTMLImageElement): string {
  const side = 24;
  const context = sheet(side, side);
  context.drawImage(image, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  const sum = [0, 0, 0];
  let count = 0;
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [i % side, Math.floor(i / side)];
    if (x > 0 && y > 0 && x < side - 1 && y < side - 1) continue;
    count++;
    for (const c of [0, 1, 2]) sum[c] = (sum[c] as number) + (data[i * 4 + c] as number);
  }
  return `rgb(${sum.map((value) => Math.round(value / count)).join(", ")})`;
}

/** The part of a picture that a frame of this shape shows, in the picture's own pixels. */
export function cutPicture(image: HTMLImageElement, frame: Size, part: number): Promise<Blob> {
  const size = { width: image.naturalWidth, height: image.naturalHeight };
  const { x, y, width, height } = coveringPart(size, frame, part);
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  const context = sheet(width * scale, height * scale);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, x, y, width, height, 0, 0, context.canvas.width, context.canvas.height);
  return asFile(context.canvas);
}

/** The whole picture in a frame of this shape, with bars of its rim's colour. */
export function barredPicture(image: HTMLImageElement, frame: Size): Promise<Blob> {
  const { naturalWidth: width, naturalHeight: height } = image;
  const grown = Math.max(width / frame.width, height / frame.height);
  const scale = Math.min(1, LARGEST / (grown * Math.max(frame.width, frame.height)));
  const context = sheet(frame.width * grown * scale, frame.height * grown * scale);
  const { canvas } = context;
  context.fillStyle = rimColour(image);
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  const [w, h] = [width * scale, height * scale];
  context.drawImage(image, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
  return asFile(canvas);
}

/** Puts a picture that was made anew in the place of the one it was made of; undo brings that back. */
export async function replacePicture(
  index: number,
  label: string,
  said: string,
  made: Promise<Blob>,
): Promise<void> {
  const reference = await uploadImage(await made);
  useDocument.getState().perform(label, (shot) => {
    const chosen = instructionsOf(shot)[index];
    if (chosen?.kind === "image") chosen.image = reference;
    return { instruction: index, part: null };
  });
  useReshaping.setState({ part: 0.5 });
  say(`${said} Ctrl+Z brings the whole one back.`);
}

/** What the frame cuts off of a picture that has arrived. */
export const cutOfImage = (image: HTMLImageElement | null, frame: Size) =>
  image && cutOf({ width: image.naturalWidth, height: image.naturalHeight }, frame);
