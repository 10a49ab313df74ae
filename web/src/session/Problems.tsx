/** What is wrong, where it is wrong, with what mends it. */
import type { ShotProblem } from "../api/client";
import { mend } from "./readiness";

export function Problems({
  problems,
  most = 4,
  id,
}: {
  problems: readonly ShotProblem[];
  /** How many are told at once. */
  most?: number;
  id?: string;
}) {
  if (!problems.length) return null;
  return (
    <div className="problems" role="status" id={id}>
      {problems.slice(0, most).map((problem) => (
        <p key={problem.field + problem.sentence} className="problem">
          <span>{problem.sentence}</span>
          {problem.fixes.map((fix) => (
            <button key={fix.label} type="button" className="word" onClick={() => mend(fix)}>
              {fix.label}
            </button>
          ))}
        </p>
      ))}
      {problems.length > most && <p className="hint">And {problems.length - most} more.</p>}
    </div>
  );
}
