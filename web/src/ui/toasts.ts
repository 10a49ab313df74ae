/** Short messages; a refusal is shown in the server's own sentence. */
import { create } from "zustand";
import { FULL_DISK, Refusal } from "../api/client";
import { setSession } from "../desk/session";

export interface Toast {
  id: number;
  tone: "news" | "fault";
  text: string;
  action?: { label: string; act: () => void };
}

export const useToasts = create<{ toasts: Toast[] }>(() => ({ toasts: [] }));

let next = 1;

export function dismiss(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }));
}

/** Shows a message for a while; its id, to take it away sooner. */
export function say(text: string, action?: Toast["action"], tone: Toast["tone"] = "news"): number {
  const id = next++;
  useToasts.setState(({ toasts }) => ({
    toasts: [
      ...toasts.filter((toast) => toast.text !== text),
      { id, tone, text, ...(action ? { action } : {}) },
    ].slice(-3),
  }));
  window.setTimeout(() => dismiss(id), tone === "fault" ? 12_000 : action ? 9000 : 5000);
  return id;
}

/** The way out of a full disk. */
export const FREE_SPACE = { label: "Free disk space", act: () => setSession({ keeping: true }) };

/** Ends a command of which the person was told already why it cannot be. */
export class Told extends Error {}

/** Says what went wrong; never silent. */
export function complain(error: unknown): void {
  if (error instanceof Told) return;
  if (error instanceof Refusal)
    say(error.message, error.status === FULL_DISK ? FREE_SPACE : undefined, "fault");
  else {
    console.error(error);
    say(
      "Something went wrong on this page. Your shot is kept; reload the page to go on.",
      undefined,
      "fault",
    );
  }
}

/** Runs a command; a refusal becomes a toast. */
export function attempt(act: () => Promise<unknown>): void {
  act().catch(complain);
}
