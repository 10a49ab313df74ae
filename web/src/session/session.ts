/** What is open on the desk, which tool is in the hand, and how things are shown. */
import { create } from "zustand";
import type { Mask } from "../document/shot";
import type { ToolName } from "../tools/table";

export type CompareMode = "wipe" | "side";

export interface Viewed {
  take: string;
  /** null: its last step. */
  step: number | null;
  /** Whether it is the picture that the take starts from which is looked at. */
  picture?: boolean;
}

export interface Session {
  project: string | null;
  shot: string | null;
  /** The revision that the desk's document stands on. */
  revision: number;
  viewed: Viewed | null;
  compared: Viewed | null;
  compareMode: CompareMode;
  /** Where the wipe divides the frame, in [0, 1]. */
  wipe: number;
  tool: ToolName;
  brush: { colour: string; width: number; opacity: number };
  region: { shape: "lasso" | "box"; use: "edit" | "drag" | "blend" };
  target: { shape: "lasso" | "box" | "brush"; role: "target" | "source" };
  /** Whether the next pull at a path records its motion. */
  recording: boolean;
  snapping: boolean;
  onion: boolean;
  overlays: boolean;
  seedLocked: boolean;
  /** The words of the prompt that the next path is for. */
  phrase: string | null;
  /** Place of a path that was drawn and says not yet what it is of; null: nothing is asked. */
  asking: number | null;
  /** A region that waits for its drag. */
  dragRegion: Mask | null;
  /** Whether the deleted takes, and what frees room on the disk, are shown. */
  keeping: boolean;
}

export const useSession = create<Session>(() => ({
  project: null,
  shot: null,
  revision: 0,
  viewed: null,
  compared: null,
  compareMode: "wipe",
  wipe: 0.5,
  tool: "select",
  brush: { colour: "#c0392b", width: 0.06, opacity: 1 },
  region: { shape: "lasso", use: "edit" },
  target: { shape: "lasso", role: "target" },
  recording: false,
  snapping: true,
  onion: true,
  overlays: true,
  seedLocked: true,
  phrase: null,
  asking: null,
  dragRegion: null,
  keeping: false,
}));

export const sessionNow = (): Session => useSession.getState();
export const setSession = (change: Partial<Session>): void => useSession.setState(change);

/** The open project and shot, as the address bar keeps them over a reload. */
export const addressOf = (session: Session): string =>
  [
    "#",
    session.project && `projects/${session.project}`,
    session.shot && `shots/${session.shot}`,
    session.viewed && `takes/${session.viewed.take}`,
  ]
    .filter(Boolean)
    .join("/");

export function readAddress(hash: string): {
  project: string | null;
  shot: string | null;
  take: string | null;
} {
  const part = (room: string) => new RegExp(`${room}/([0-9a-f]{32})`).exec(hash)?.[1] ?? null;
  return { project: part("projects"), shot: part("shots"), take: part("takes") };
}
