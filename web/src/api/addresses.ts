/** Addresses of pictures, clips and files. */
import { BASE } from "./base";

export const previewUrl = (digest: string): string => `${BASE}/api/previews/${digest}`;

/** Where the picture that a shot refers to is to be had, upright and in the colours that a model is given. */
export const imageUrl = (reference: string): string =>
  reference.startsWith("sha256:") ? `${BASE}/api/images/${reference.slice(7)}/shown` : reference;

export const clipUrl = (take: string, ending: "mp4" | "webm" | "gif" | "png"): string =>
  `${BASE}/api/takes/${take}/clip.${ending}?download=true`;

export const stillUrl = (take: string, frame: number, step: number | null): string =>
  `${BASE}/api/takes/${take}/still.png?frame=${frame}${step === null ? "" : `&step=${step}`}`;

export const exportUrl = (project: string): string => `${BASE}/api/projects/${project}/export`;
