/** A clip that is asked to be longer than its model makes one. */
import type { Shot } from "./shot";

interface Maker {
  name: string;
  limits: { max_frames: number | null; fixed?: number[] | null };
}

export interface Beyond {
  /** How many frames the shot asks for. */
  asked: number;
  /** How many its model makes at most. */
  most: number;
  /** Models that make as many. */
  models: string[];
}

/** How many frames a model makes at most; null: any number. */
const mostOf = ({ limits }: Maker): number | null => limits.fixed?.[0] ?? limits.max_frames;

/** What lies after the model's last frame; null where nothing does. */
export function beyondModel(shot: Shot, model: Maker | undefined, models: readonly Maker[]): Beyond | null {
  const most = model ? mostOf(model) : null;
  const asked = shot.frames ?? 0;
  if (!model || most === null || asked <= most) return null;
  const able = (other: Maker) => other.name !== model.name && (mostOf(other) ?? asked) >= asked;
  return { asked, most, models: models.filter(able).map(({ name }) => name) };
}
