/** What keeps the shot on the desk from being run, as the server says; and mending it. */
import { useMemo } from "react";
import { create } from "zustand";
import { answer, api, type Fix, type ShotProblem, type ShotView, type Subject } from "../api/client";
import { writePrompt } from "../document/binding";
import { laid } from "../document/draft";
import { patch } from "../document/patch";
import { fingerprint } from "../document/same";
import { instructionsOf, type Shot } from "../document/shot";
import { shotNow, useDocument, useShot } from "../document/store";
import { sessionNow } from "./session";

interface Readiness {
  /** The shot that was looked at; null before any was. */
  of: Shot | null;
  problems: ShotProblem[];
  /** What does not keep it from being run, and will mean less than it seems to. */
  notes: ShotProblem[];
  /** What its prompt speaks of. */
  subjects: Subject[];
}

export const useReadiness = create<Readiness>(() => ({ of: null, problems: [], notes: [], subjects: [] }));

/** What the server says of a shot that was just sent or fetched. */
export const heardOf = (view: ShotView, of: Shot): void =>
  useReadiness.setState({
    of,
    problems: view.problems ?? [],
    notes: view.notes ?? [],
    subjects: view.subjects ?? [],
  });

/** Asks again: the studio has looked at its models since. */
export async function askAgain(): Promise<void> {
  const { shot: id } = sessionNow();
  if (!id) return;
  const view = await answer(api.GET("/api/shots/{shot}", { params: { path: { shot: id } } }));
  const shot = shotNow();
  if (sessionNow().shot === id && fingerprint(laid(view.shot)) === fingerprint(shot)) heardOf(view, shot);
}

/** Place of the instruction that a problem is of; null: it is of none. */
export function placeOf({ field }: ShotProblem): number | null {
  const found = /^instructions\[(\d+)\]/.exec(field);
  return found ? Number(found[1]) : null;
}

/** Whether a problem was found in what still lies on the desk: else it is being looked at anew. */
function stands(problem: ShotProblem, of: Shot, shot: Shot): boolean {
  const index = placeOf(problem);
  // Whether an instruction's words are there is a matter of the prompt too.
  if (index !== null)
    return (
      instructionsOf(of)[index] === instructionsOf(shot)[index] &&
      (!/\.(?:phrase|occurrence)$/.test(problem.field) || of.prompt === shot.prompt)
    );
  const [name] = problem.field.split(/[.[]/) as [keyof Shot];
  return of[name] === shot[name] && (of.model === shot.model || name === "prompt");
}

export function standing({ of, problems }: Pick<Readiness, "of" | "problems">, shot: Shot): ShotProblem[] {
  if (of === shot) return problems;
  return of ? problems.filter((problem) => stands(problem, of, shot)) : [];
}

export const problemsNow = (): ShotProblem[] => standing(useReadiness.getState(), shotNow());

export function useProblems(): ShotProblem[] {
  const readiness = useReadiness();
  const shot = useShot();
  return useMemo(() => standing(readiness, shot), [readiness, shot]);
}

/** What of the shot's texts will mean less than it seems to. */
export function useNotes(): ShotProblem[] {
  const { of, notes, problems } = useReadiness();
  const shot = useShot();
  return useMemo(() => {
    // What keeps it from being run is told as that.
    const told = new Set(problems.map(({ sentence }) => sentence));
    return standing({ of, problems: notes }, shot).filter(({ sentence }) => !told.has(sentence));
  }, [of, notes, problems, shot]);
}

/** Problems of a field of the shot and of what is in it: `prompt`, `frames`, `instructions[0]`. */
export const useProblemsOf = (field: string): ShotProblem[] => {
  const problems = useProblems();
  return useMemo(
    () =>
      problems.filter(
        (problem) =>
          problem.field === field ||
          (/^[.[]/.test(problem.field.slice(field.length)) && problem.field.startsWith(field)),
      ),
    [problems, field],
  );
};

/** What the prompt on the desk speaks of, as far as it was looked at. */
export function useSubjects(): Subject[] {
  const { of, subjects } = useReadiness();
  const prompt = useShot().prompt;
  return of?.prompt === prompt ? subjects : [];
}

/** Mends the shot on the desk; one step of undo. */
export function mend({ label, patch: operations }: Fix): void {
  useDocument.getState().perform(label, (draft) => {
    for (const operation of operations)
      if (operation.path === "/prompt" && typeof operation.value === "string")
        writePrompt(draft, operation.value);
      else patch(draft, [operation]);
    return operations.some(({ op }) => op === "remove") ? null : undefined;
  });
}

/** Binds a path or a mark to words of the prompt. */
export function bind(index: number, { phrase, occurrence }: Subject): void {
  useDocument.getState().perform(`Bind to ${phrase}`, (draft) => {
    const instruction = instructionsOf(draft)[index];
    if (!instruction || !("phrase" in instruction || instruction.kind === "trajectory")) return undefined;
    Object.assign(instruction, { phrase, occurrence });
    return { instruction: index, part: null };
  });
}
