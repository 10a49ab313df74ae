/** The take that is looked at, its step, and what of it is to be seen. */

import { useMemo } from "react";
import type { Step, Strip, Take, TakeDetail } from "../api/client";
import { useSteps, useTake, useTakeDetail } from "../api/queries";
import { withoutOriginal } from "../document/blend";
import { fingerprint } from "../document/same";
import { useShot } from "../document/store";
import { useSession, type Viewed } from "./session";

export interface ViewedTake {
  take: Take | null;
  steps: Step[];
  /** null: where the take stands. */
  step: number | null;
  strip: Strip | null;
  detail: TakeDetail | null;
}

export function useTakeView(viewed: Viewed | null): ViewedTake {
  const project = useSession((session) => session.project);
  const take = useTake(project, viewed?.take ?? null);
  const steps = useSteps(take ? take.id : null).data?.steps ?? [];
  const detail = useTakeDetail(take ? take.id : null).data ?? null;
  const step = viewed?.step ?? null;
  const picture = viewed?.picture ? pictureOf(take) : null;
  const entry = step === null ? null : steps.find((candidate) => candidate.step === step);
  const last = steps.at(-1);
  const strip = entry
    ? (entry.look ?? entry.preview)
    : take
      ? (take.look ??
        (take.status === "running" ? null : last?.look) ??
        take.preview ??
        last?.preview ??
        null)
      : null;
  return { take, steps, step, strip: picture ?? strip, detail };
}

/** The picture that a take starts from, as a strip of one frame. */
export function pictureOf(take: Take | null): Strip | null {
  if (!take?.picture || !take.width || !take.height) return null;
  return { digest: take.picture, frames: 1, columns: 1, width: take.width, height: take.height };
}

/** A take of the open project. */
export function useTakeOfProject(take: string | null): Take | null {
  const project = useSession((session) => session.project);
  return useTake(project, take);
}

export const useViewed = (): ViewedTake => useTakeView(useSession((session) => session.viewed));

/** Whether the desk asks for something else than the take shows; the seed is a matter of its own. */
export function useChanged(detail: TakeDetail | null): boolean {
  const shot = useShot();
  return useMemo(() => {
    if (detail === null) return false;
    // A take from the start was run without the blend, which is for its branches.
    const asked = detail.parent === null ? withoutOriginal(shot) : shot;
    return fingerprint(detail.document, false) !== fingerprint(asked, false);
  }, [detail, shot]);
}
