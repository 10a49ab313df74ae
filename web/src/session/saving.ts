/** The document goes to the server as revisions, a moment after each change. */
import { create } from "zustand";
import { answer, api, FULL_DISK, Refusal, type ShotView } from "../api/client";
import { useLine } from "../api/events";
import { laid } from "../document/draft";
import type { Shot } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { heardOf } from "./readiness";
import { sessionNow, setSession } from "./session";

interface Saving {
  state: "saved" | "waiting" | "saving" | "refused" | "conflict";
  /** Why it is not saved. */
  sentence: string | null;
  /** Whether that is for want of room on the disk. */
  full?: boolean;
}

export const useSaving = create<Saving>(() => ({ state: "saved", sentence: null }));

const DELAY = 350;
let saved: Shot | null = null;
let timer = 0;
let under: Promise<void> | null = null;

/** What the server has is what lies on the desk. */
export function markSaved(view: ShotView, shot: Shot): void {
  saved = shot;
  heardOf(view, shot);
  setSession({ revision: view.revision });
  // What was changed while it was on its way waits for its own turn.
  useSaving.setState({ state: hasUnsaved() ? "waiting" : "saved", sentence: null });
}

export const hasUnsaved = (): boolean => saved !== shotNow();

async function save(): Promise<void> {
  const { shot: id, revision } = sessionNow();
  const shot = shotNow();
  if (!id) return;
  if (saved === shot) {
    if (useSaving.getState().state !== "conflict") useSaving.setState({ state: "saved", sentence: null });
    return;
  }
  useSaving.setState({ state: "saving", sentence: null });
  try {
    const view = await answer(
      api.PUT("/api/shots/{shot}", { params: { path: { shot: id } }, body: { revision, shot } }),
    );
    if (sessionNow().shot === id) markSaved(view, shot);
  } catch (error) {
    if (sessionNow().shot !== id) throw error;
    const refusal = error instanceof Refusal ? error : null;
    useSaving.setState({
      state: refusal?.status === 409 ? "conflict" : "refused",
      sentence: refusal?.message ?? "The shot could not be saved.",
      full: refusal?.status === FULL_DISK,
    });
    throw error;
  }
}

/** Saves now; waits for a save under way first. Throws the server's refusal. */
export async function saveNow(): Promise<void> {
  window.clearTimeout(timer);
  while (under) await under.catch(() => undefined);
  under = save().finally(() => {
    under = null;
  });
  await under;
}

/** Takes the server's shot in place of the desk's; can be undone. */
export async function takeTheirs(): Promise<void> {
  const { shot: id } = sessionNow();
  if (!id) return;
  const view = await answer(api.GET("/api/shots/{shot}", { params: { path: { shot: id } } }));
  useDocument.getState().lay("Load the other window's version", laid(view.shot));
  markSaved(view, shotNow());
}

/** Puts the desk's shot over the server's; the other one stays among the revisions. */
export async function keepMine(): Promise<void> {
  const { shot: id } = sessionNow();
  if (!id) return;
  const view = await answer(api.GET("/api/shots/{shot}", { params: { path: { shot: id } } }));
  setSession({ revision: view.revision });
  saved = null;
  await saveNow();
}

/** Saves a moment after each change. */
export function startSaving(): () => void {
  let before = shotNow();
  const stop = useDocument.subscribe((state) => {
    const shot = state.history.present;
    if (shot === before) return;
    before = shot;
    if (useSaving.getState().state === "conflict") return;
    if (shot === saved && !under) {
      window.clearTimeout(timer);
      useSaving.setState({ state: "saved", sentence: null });
      return;
    }
    useSaving.setState({ state: "waiting", sentence: null });
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void saveNow().catch(() => undefined), DELAY);
  });
  // What could not be saved while the line was cut is saved when it is back.
  const stopListening = useLine.subscribe((line, before) => {
    if (line.open && before.open === false && useSaving.getState().state === "refused")
      void saveNow().catch(() => undefined);
  });
  const leave = (event: BeforeUnloadEvent) => {
    if (hasUnsaved() && sessionNow().shot) {
      void saveNow().catch(() => undefined);
      event.preventDefault();
    }
  };
  window.addEventListener("beforeunload", leave);
  return () => {
    stop();
    stopListening();
    window.removeEventListener("beforeunload", leave);
  };
}
