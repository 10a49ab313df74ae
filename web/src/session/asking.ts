/** Asking what a path or a mark is of, when it was drawn before anybody said so. */
import { takesWords } from "../document/binding";
import { instructionsOf } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { setSession } from "./session";

/** Asks for the selected path or mark, unless it says already what it is of. */
export function askWhatIsIn(): void {
  const index = useDocument.getState().selection?.instruction ?? -1;
  const drawn = instructionsOf(shotNow())[index];
  setSession({ asking: takesWords(drawn) && !drawn.phrase ? index : null });
}
