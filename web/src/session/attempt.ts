/** Commands that may be refused: a refusal is shown in the server's own sentence. */
import { FULL_DISK, Refusal } from "../api/client";
import { say } from "../ui/toasts";
import { setSession } from "./session";

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
