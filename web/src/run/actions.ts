/** Commands to takes. */
import { answer, api, type Take } from "../api/client";
import { type TakeList, withTake } from "../api/folding";
import { keys, queryClient } from "../api/queries";
import { saveNow } from "../desk/saving";
import { sessionNow, setSession } from "../desk/session";
import { mixesWithParent, withoutOriginal } from "../document/blend";
import type { Shot } from "../document/shot";
import { shotNow } from "../document/store";
import { attempt, say } from "../ui/toasts";

/** Puts the answer into the list at once, unless the stream was faster; it brings it again. */
function known(take: Take): Take {
  queryClient.setQueryData<TakeList>(keys.takes(take.project), (list) => list && withTake(list, take));
  return take;
}

const path = (take: string) => ({ params: { path: { take } } });

export const randomSeed = (): number => Math.floor(Math.random() * 1_000_000);

/** A new take of the shot on the desk. */
export async function runShot(until: number | null = null): Promise<Take> {
  await saveNow();
  const { shot, seedLocked } = sessionNow();
  if (!shot) throw new Error("no shot is open");
  const own = mixesWithParent(shotNow()) ? { shot: withoutOriginal(shotNow()) } : {};
  const body = { until, play: true, ...own, ...(seedLocked ? {} : { seed: randomSeed() }) };
  const take = known(await answer(api.POST("/api/shots/{shot}/takes", { params: { path: { shot } }, body })));
  setSession({ viewed: { take: take.id, step: null } });
  return take;
}

export const playTake = async (take: string, until: number | null = null) =>
  known(await answer(api.POST("/api/takes/{take}/play", { ...path(take), body: { until } })));

export const pauseTake = async (take: string) =>
  known(await answer(api.POST("/api/takes/{take}/pause", { ...path(take), body: {} })));

export const stopTake = async (take: string) =>
  known(await answer(api.POST("/api/takes/{take}/stop", { ...path(take), body: {} })));

/** Branches at a step with the shot on the desk. What cannot change in a branch is the parent's. */
export async function branchTake(take: string, at: number, document: Shot): Promise<Take> {
  await saveNow();
  const shot: Shot = at > 0 ? { ...shotNow(), seed: document.seed ?? 0 } : shotNow();
  const made = known(await answer(api.POST("/api/takes/{take}/fork", { ...path(take), body: { at, shot } })));
  setSession({ viewed: { take: made.id, step: null } });
  return made;
}

export const pinTake = async (take: string, pinned: boolean) =>
  known(await answer(api.POST("/api/takes/{take}/pin", { ...path(take), body: { pinned } })));

export const nameTake = async (take: string, name: string) =>
  known(await answer(api.POST("/api/takes/{take}/name", { ...path(take), body: { name } })));

export const restoreTake = async (take: string) =>
  known(await answer(api.POST("/api/takes/{take}/restore", path(take))));

export async function deleteTake(take: Take): Promise<void> {
  known(await answer(api.DELETE("/api/takes/{take}", path(take.id))));
  const { viewed, compared } = sessionNow();
  if (viewed?.take === take.id) setSession({ viewed: null });
  if (compared?.take === take.id) setSession({ compared: null });
  say(`${take.name} is in the bin.`, {
    label: "Undo",
    act: () => attempt(() => restoreTake(take.id)),
  });
}
