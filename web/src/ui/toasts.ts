/** Short messages. */
import { create } from "zustand";

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
