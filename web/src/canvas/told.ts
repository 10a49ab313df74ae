/** What the stage says of the gesture under way: which keyframe it makes, or why nothing came of it. */
import { create } from "zustand";

export const useTold = create<{ sentence: string | null }>(() => ({ sentence: null }));

/** How long it stays to be read once the gesture is over, in milliseconds. */
const STAYS = 4000;
let clearing: ReturnType<typeof setTimeout> | undefined;

export function tell(sentence: string | null): void {
  clearTimeout(clearing);
  if (useTold.getState().sentence !== sentence) useTold.setState({ sentence });
}

/** The gesture is over: what was said goes by itself. */
export function tellNoMore(): void {
  clearTimeout(clearing);
  clearing = setTimeout(() => tell(null), STAYS);
}
