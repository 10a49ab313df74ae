/** Clearing the desk for something else, never at the cost of work that is not saved, unless a person says so. */
import { Refusal } from "../api/client";
import { ask } from "../ui/question";
import { hasUnsaved, saveNow } from "./saving";
import { sessionNow } from "./session";

/** What became of the shot on the desk; `stays`: the person wants to keep it there. */
type Left = "saved" | "dropped" | "stays";

async function leave(): Promise<Left> {
  try {
    while (sessionNow().shot && hasUnsaved()) await saveNow();
    return "saved";
  } catch (error) {
    const why = error instanceof Refusal ? error.message : "It could not be saved.";
    const yes = await ask({
      title: "This shot is not saved",
      text: `${why} If you go on to something else, your last changes of this shot are lost.`,
      no: "Stay with this shot",
      yes: "Discard the changes",
    });
    return yes ? "dropped" : "stays";
  }
}

/**
 * Fetches something, and lays it on the desk in place of the shot that is there. False where the person stays
 * with a shot that cannot be saved; nothing is fetched then.
 */
export async function leaveFor<T>(fetched: () => Promise<T>, lay: (what: T) => void): Promise<boolean> {
  const left = await leave();
  if (left === "stays") return false;
  const what = await fetched();
  // What was changed meanwhile is saved too; who discards changes is not asked twice.
  if (left === "saved" && (await leave()) === "stays") return false;
  lay(what);
  return true;
}
