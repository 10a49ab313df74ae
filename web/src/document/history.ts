/** Undo and redo as inverse patches of an immutable document. */
import { applyPatches, enablePatches, type Patch, produceWithPatches } from "immer";

enablePatches();

/** Something done outside the document that undo and redo take along, in its place among the edits. */
export interface Deed {
  undo(): void;
  redo(): void;
}

export interface Entry {
  label: string;
  /** Commands with the same key in a row are one step of undo. */
  merge: string | null;
  forward: Patch[];
  inverse: Patch[];
  deed?: Deed;
}

export interface History<T> {
  present: T;
  past: Entry[];
  future: Entry[];
}

const MOST = 500;

export const begin = <T>(present: T): History<T> => ({ present, past: [], future: [] });

/** The history after a command; the same object where the command changed nothing. */
export function perform<T>(
  history: History<T>,
  label: string,
  recipe: (draft: T) => void,
  merge: string | null = null,
): History<T> {
  const [present, forward, inverse] = produceWithPatches(
    history.present,
    recipe as (draft: unknown) => void,
  ) as [T, Patch[], Patch[]];
  if (!forward.length) return history;
  const last = history.past.at(-1);
  if (merge !== null && last?.merge === merge && !history.future.length) {
    const merged = {
      ...last,
      forward: [...last.forward, ...forward],
      inverse: [...inverse, ...last.inverse],
    };
    return { present, past: [...history.past.slice(0, -1), merged], future: [] };
  }
  return { present, past: [...history.past, { label, merge, forward, inverse }].slice(-MOST), future: [] };
}

/** The history after a deed, which leaves the document as it is. */
export function note<T>({ present, past }: History<T>, label: string, deed: Deed): History<T> {
  const entry: Entry = { label, merge: null, forward: [], inverse: [], deed };
  return { present, past: [...past, entry].slice(-MOST), future: [] };
}

/** Without a deed that was taken back some other way. */
export function forget<T>({ present, past, future }: History<T>, deed: Deed): History<T> {
  const other = (entry: Entry) => entry.deed !== deed;
  return { present, past: past.filter(other), future: future.filter(other) };
}

/** Without the last command where it carries this key and ended as it began, by `same`. */
export function settle<T>(history: History<T>, merge: string, same: (a: T, b: T) => boolean): History<T> {
  const last = history.past.at(-1);
  if (last?.merge !== merge || history.future.length) return history;
  const { present, past } = undo(history);
  return same(present, history.present) ? { present, past, future: [] } : history;
}

export function undo<T>(history: History<T>): History<T> {
  const entry = history.past.at(-1);
  if (!entry) return history;
  return {
    present: entry.deed ? history.present : (applyPatches(history.present as object, entry.inverse) as T),
    past: history.past.slice(0, -1),
    future: [entry, ...history.future],
  };
}

export function redo<T>(history: History<T>): History<T> {
  const entry = history.future[0];
  if (!entry) return history;
  return {
    present: entry.deed ? history.present : (applyPatches(history.present as object, entry.forward) as T),
    // A merge key must not reach over a redo.
    past: [...history.past, { ...entry, merge: null }],
    future: history.future.slice(1),
  };
}
