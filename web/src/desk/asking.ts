/** Asking what a path or a mark is of, when it was drawn before anybody said so. */
import { instructionsOf } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { setSession } from "./session";

/** Asks for the selected path, unless it says already what it is of. */
export function askWhatIsIn(): void {
  const index = useDocument.getState().selection?.instruction ?? -1;
  const drawn = instructionsOf(shotNow())[index];
  const named = drawn?.kind === "trajectory" && drawn.form !== "drag" && !!drawn.phrase;
  setSession({ asking: drawn?.kind === "trajectory" && drawn.form !== "drag" && !named ? index : null });
}
