/** Commands to takes. */
import { answer, api, type Queue, Refusal, type Take } from "../api/client";
import { type TakeList, withTake } from "../api/folding";
import { keys, queryClient } from "../api/queries";
import { mixesWithParent, withoutOriginal } from "../document/blend";
import type { Deed } from "../document/history";
import type { Shot } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { attempt, Told } from "../session/attempt";
import { mend, problemsNow } from "../session/readiness";
import { saveNow } from "../session/saving";
import { type Session, sessionNow, setSession } from "../session/session";
import { dismiss, say } from "../ui/toasts";
import { whileDoing, whileMaking } from "./doing";
import { obstacleOf } from "./obstacle";
import { hasToWait, inLine } from "./words";

/** Puts the answer into the list at once, unless the stream was faster; it brings it again. */
function known(take: Take): Take {
  queryClient.setQueryData<TakeList>(keys.takes(take.project), (list) => list && withTake(list, take));
  void queryClient.invalidateQueries({ queryKey: keys.queue });
  return take;
}

const takesNow = (): readonly Take[] =>
  queryClient.getQueryData<TakeList>(keys.takes(sessionNow().project ?? ""))?.takes ?? [];

const path = (take: string) => ({ params: { path: { take } } });

export const randomSeed = (): number => Math.floor(Math.random() * 1_000_000);

export const isLive = (take: Take | null | undefined): boolean =>
  take?.status === "running" || take?.status === "queued";

/** Saves the shot on the desk. Throws what keeps it from being run; nothing of it is lost then. */
async function saveReady(): Promise<void> {
  await saveNow();
  const problems = problemsNow();
  const obstacle = obstacleOf(problems);
  if (!obstacle) return;
  const fix = problems[0]?.fixes[0];
  say(obstacle.sentence, fix && { label: fix.label, act: () => mend(fix) }, "fault");
  throw new Told(obstacle.sentence);
}

/** The message of the take that was queued last. */
let queued = 0;

/** Looks at a take that was just made, unless it has to wait: then the stage stays on what it shows. */
function look(made: Take): void {
  const view = () => setSession({ viewed: { take: made.id, step: null } });
  const entries = queryClient.getQueryData<Queue>(keys.queue)?.entries ?? [];
  // The stream may have told sooner that it runs already.
  const newest = takesNow().find(({ id }) => id === made.id) ?? made;
  const place = newest.queue_position ?? 0;
  if (
    !hasToWait(newest, takesNow(), entries) ||
    !takesNow().some(({ id }) => id === sessionNow().viewed?.take)
  ) {
    view();
    return;
  }
  dismiss(queued);
  const told = `${made.name} (seed ${made.seed}) is in the queue, ${inLine(place)}.`;
  queued = say(told, { label: "Show it", act: view });
}

/** A new take of the shot on the desk. */
export function runShot(until: number | null = null): Promise<Take> {
  return whileMaking("run", async () => {
    await saveReady();
    const { shot, seedLocked } = sessionNow();
    if (!shot) throw new Refusal("No shot is open: open or make one first.", 0, null);
    const own = mixesWithParent(shotNow()) ? { shot: withoutOriginal(shotNow()) } : {};
    const body = { until, play: true, ...own, ...(seedLocked ? {} : { seed: randomSeed() }) };
    const params = { path: { shot } };
    const take = known(await answer(api.POST("/api/shots/{shot}/takes", { params, body })));
    if (sessionNow().shot === shot) look(take);
    return take;
  });
}

/** Branches at a step with the shot on the desk. What cannot change in a branch is the parent's. */
export function branchTake(take: string, at: number, document: Shot): Promise<Take> {
  return whileMaking("branch", async () => {
    await saveReady();
    const { shot: id } = sessionNow();
    const shot: Shot = at > 0 ? { ...shotNow(), seed: document.seed ?? 0 } : shotNow();
    const made = known(
      await answer(api.POST("/api/takes/{take}/fork", { ...path(take), body: { at, shot } })),
    );
    if (sessionNow().shot === id) look(made);
    return made;
  });
}

export const playTake = (take: string, until: number | null = null) =>
  whileDoing(take, "resuming", async () =>
    known(await answer(api.POST("/api/takes/{take}/play", { ...path(take), body: { until } }))),
  );

export const pauseTake = (take: string) =>
  whileDoing(take, "pausing", async () =>
    known(await answer(api.POST("/api/takes/{take}/pause", { ...path(take), body: {} }))),
  );

export const stopTake = (take: string) =>
  whileDoing(take, "cancelling", async () =>
    known(await answer(api.POST("/api/takes/{take}/stop", { ...path(take), body: {} }))),
  );

/** Does something to a take that undo and redo take along among the edits of its shot. */
async function inHistory(
  take: Take,
  label: string,
  act: () => Promise<unknown>,
  back: () => Promise<unknown>,
): Promise<Deed> {
  await act();
  const deed: Deed = { undo: () => attempt(back), redo: () => attempt(act) };
  if (sessionNow().shot === take.shot) useDocument.getState().note(`${label} ${take.name}`, deed);
  return deed;
}

const pin = async (take: string, pinned: boolean) =>
  known(await answer(api.POST("/api/takes/{take}/pin", { ...path(take), body: { pinned } })));

export const pinTake = (take: Take) =>
  inHistory(
    take,
    take.pinned ? "Unpin" : "Pin",
    () => pin(take.id, !take.pinned),
    () => pin(take.id, take.pinned),
  );

const rename = async (take: string, name: string) =>
  known(await answer(api.POST("/api/takes/{take}/name", { ...path(take), body: { name } })));

export const nameTake = (take: Take, name: string) =>
  inHistory(
    take,
    "Rename",
    () => rename(take.id, name),
    () => rename(take.id, take.name),
  );

export const restoreTake = async (take: string) =>
  known(await answer(api.POST("/api/takes/{take}/restore", path(take))));

/** What is looked at once a take is gone: the newest of the shot that is left. */
function lookAway(take: Take): Pick<Session, "viewed" | "compared"> {
  const { viewed, compared } = sessionNow();
  if (viewed?.take === take.id) {
    const next = takesNow().findLast(({ shot, id }) => shot === take.shot && id !== take.id);
    setSession({ viewed: next ? { take: next.id, step: null } : null });
  }
  if (compared?.take === take.id) setSession({ compared: null });
  return { viewed, compared };
}

/** Deletes a take; the toast and undo bring it back, and what was looked at. */
export async function deleteTake(take: Take): Promise<void> {
  let before: Pick<Session, "viewed" | "compared"> = { viewed: null, compared: null };
  let told = 0;
  const deed = await inHistory(
    take,
    "Delete",
    async () => {
      const gone = () => answer(api.DELETE("/api/takes/{take}", path(take.id)));
      const deleted = await whileDoing(take.id, "deleting", gone);
      before = lookAway(take);
      known(deleted);
    },
    async () => {
      dismiss(told);
      await restoreTake(take.id);
      if (sessionNow().shot === take.shot && before.viewed?.take === take.id) setSession(before);
      say(`${take.name} is back.`);
    },
  );
  told = say(`${take.name} deleted.`, { label: "Undo", act: () => useDocument.getState().takeBack(deed) });
}
