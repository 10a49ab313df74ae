/** The stage that is on the page, for commands that come from elsewhere. */
import type { StageController } from "./controller";

let current: StageController | null = null;

export const stageNow = (): StageController | null => current;

export function setStage(stage: StageController | null): void {
  current = stage;
}
