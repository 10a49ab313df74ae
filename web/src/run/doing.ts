/** What was asked of takes and is not done yet, so that a click is answered before anybody else has heard of it. */
import { create } from "zustand";
import type { Take } from "../api/client";

export type Doing = "pausing" | "resuming" | "cancelling" | "deleting";
export type Making = "run" | "branch";

interface Asked {
  takes: Record<string, Doing>;
  /** A take that is on its way into the queue. */
  making: Making | null;
}

export const useAsked = create<Asked>(() => ({ takes: {}, making: null }));

/** Says that something is done to a take, until the server has answered. */
export async function whileDoing<T>(take: string, what: Doing, act: () => Promise<T>): Promise<T> {
  useAsked.setState(({ takes }) => ({ takes: { ...takes, [take]: what } }));
  try {
    return await act();
  } finally {
    useAsked.setState(({ takes: { [take]: _, ...others } }) => ({ takes: others }));
  }
}

/** Says that a take is made, until the server has answered. */
export async function whileMaking<T>(what: Making, act: () => Promise<T>): Promise<T> {
  useAsked.setState({ making: what });
  try {
    return await act();
  } finally {
    useAsked.setState({ making: null });
  }
}

const ASKED: Record<NonNullable<Take["asked"]>, Doing> = { paused: "pausing", stopped: "cancelling" };

/** What a take is about to become: asked here, or, as the server says, on any desk. */
export const useDoing = (take: Take | null): Doing | null => {
  const here = useAsked(({ takes }) => (take ? (takes[take.id] ?? null) : null));
  return here ?? (take?.asked && take.status === "running" ? ASKED[take.asked] : null);
};

export const DOING: Record<Doing, string> = {
  pausing: "Pausing…",
  resuming: "Resuming…",
  cancelling: "Cancelling…",
  deleting: "Deleting…",
};
