/** Pictures by address, loaded once and kept while they are used. */

import { previewUrl } from "../api/addresses";
import type { Strip } from "../api/client";

const MOST = 240;
const kept = new Map<string, HTMLImageElement>();
const listeners = new Set<() => void>();

/** Calls back whenever a picture has arrived. */
export function onPicture(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The picture at an address, null until it is there. */
export function picture(url: string): HTMLImageElement | null {
  let image = kept.get(url);
  if (!image) {
    image = new Image();
    image.onload = () => {
      for (const listener of listeners) listener();
    };
    image.src = url;
    if (kept.size >= MOST) kept.delete(kept.keys().next().value as string);
  } else {
    kept.delete(url);
  }
  kept.set(url, image);
  return image.complete && image.naturalWidth > 0 ? image : null;
}

export interface FrameSource {
  image: HTMLImageElement;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a frame stands in a strip. */
export function placeOf(strip: Strip, frame: number): { x: number; y: number } {
  const shown = Math.min(strip.frames - 1, Math.max(0, frame));
  return { x: (shown % strip.columns) * strip.width, y: Math.floor(shown / strip.columns) * strip.height };
}

/** A frame of a strip, null until the strip has arrived. */
export function frameOfStrip(strip: Strip, frame: number): FrameSource | null {
  const image = picture(previewUrl(strip.digest));
  if (!image) return null;
  return { image, ...placeOf(strip, frame), width: strip.width, height: strip.height };
}
