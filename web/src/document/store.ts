/** The desk's document and what is selected on it. */
import { create } from "zustand";
import { begin, type Deed, forget, type History, note, perform, redo, settle, undo } from "./history";
import { fingerprint } from "./same";
import { EXAMPLE, type Instruction, instructionsOf, isPath, type Shot } from "./shot";

export interface Selection {
  instruction: number;
  /** Place of a keyframe, or of a drag's move; null: the whole. */
  part: number | null;
  /** Which end of a drag's move it is that keys move; its target where none is named. */
  end?: "handle" | "target";
}

interface DocumentStore {
  history: History<Shot>;
  selection: Selection | null;
  /** Performs a command as one step of undo. What the recipe returns is selected. */
  perform(label: string, recipe: (shot: Shot) => Selection | null | undefined, merge?: string): void;
  /** Takes a gesture of this merge key back where it ended as it began: it leaves no step of undo. */
  settle(merge: string): void;
  undo(): void;
  redo(): void;
  /** Something was done that is no change of the document; undo and redo take it along in its turn. */
  note(label: string, deed: Deed): void;
  /** Takes back a deed out of its turn. */
  takeBack(deed: Deed): void;
  select(selection: Selection | null): void;
  /** Lays another shot on the desk; can be undone. */
  lay(label: string, shot: Shot): void;
  /** Starts on another document; nothing before it can be undone. */
  open(shot: Shot): void;
}

/** The selection, as far as it still exists. */
function valid(shot: Shot, selection: Selection | null): Selection | null {
  const instruction = selection && instructionsOf(shot)[selection.instruction];
  if (!selection || !instruction) return null;
  const parts = isPath(instruction)
    ? instruction.path.keyframes.length
    : instruction.kind === "trajectory"
      ? instruction.moves.length
      : 0;
  return selection.part !== null && selection.part >= parts ? { ...selection, part: null } : selection;
}

export const useDocument = create<DocumentStore>((set, get) => ({
  history: begin(EXAMPLE),
  selection: null,
  perform(label, recipe, merge) {
    let chosen: Selection | null | undefined;
    const history = perform(
      get().history,
      label,
      (draft: Shot) => {
        chosen = recipe(draft);
      },
      merge ?? null,
    );
    const selection = chosen === undefined ? get().selection : chosen;
    set({ history, selection: valid(history.present, selection) });
  },
  settle(merge) {
    const history = settle(get().history, merge, (a, b) => fingerprint(a) === fingerprint(b));
    if (history !== get().history) set({ history, selection: valid(history.present, get().selection) });
  },
  undo() {
    const entry = get().history.past.at(-1);
    const history = undo(get().history);
    set({ history, selection: valid(history.present, get().selection) });
    entry?.deed?.undo();
  },
  redo() {
    const entry = get().history.future[0];
    const history = redo(get().history);
    set({ history, selection: valid(history.present, get().selection) });
    entry?.deed?.redo();
  },
  note(label, deed) {
    set({ history: note(get().history, label, deed) });
  },
  takeBack(deed) {
    if (get().history.past.at(-1)?.deed === deed) get().undo();
    else {
      set({ history: forget(get().history, deed) });
      deed.undo();
    }
  },
  select(selection) {
    set({ selection: valid(get().history.present, selection) });
  },
  lay(label, shot) {
    const history = perform(get().history, label, (draft: Shot) => {
      for (const key of Object.keys(draft))
        if (!(key in shot)) delete (draft as Record<string, unknown>)[key];
      Object.assign(draft, structuredClone(shot));
    });
    set({ history, selection: valid(history.present, get().selection) });
  },
  open(shot) {
    set({ history: begin(shot), selection: null });
  },
}));

export const shotNow = (): Shot => useDocument.getState().history.present;
export const useShot = (): Shot => useDocument((state) => state.history.present);

export const useSelected = (): [Instruction, Selection] | null => {
  const shot = useShot();
  const selection = useDocument((state) => state.selection);
  const instruction = selection && instructionsOf(shot)[selection.instruction];
  return selection && instruction ? [instruction, selection] : null;
};
