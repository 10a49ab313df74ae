/** The words that name a path's or a target's subject. */

import { mentions } from "../document/phrases";
import type { PathTrajectory } from "../document/shot";
import { useDocument } from "../document/store";
import { bind, useSubjects } from "../session/readiness";
import { TextField } from "../ui/fields";
import { NumberField } from "../ui/NumberField";
import { change } from "./change";

export function PhraseFields({
  phrase,
  occurrence,
  index,
  needed = false,
}: {
  phrase: string | null;
  occurrence: number | null;
  index: number;
  /** Whether words have to be given. */
  needed?: boolean;
}) {
  const prompt = useDocument((state) => state.history.present.prompt);
  const subjects = useSubjects();
  const found = phrase ? mentions(prompt, phrase).length : 0;
  return (
    <>
      <TextField
        label="Subject"
        value={phrase ?? ""}
        placeholder={needed ? "words of the prompt" : "words of the prompt, or empty"}
        onChange={(value) =>
          change<PathTrajectory>(
            index,
            "Name the subject",
            (path) => {
              path.phrase = value || (needed ? "" : null);
              path.occurrence = null;
            },
            `phrase-${index}`,
          )
        }
      />
      <p className="hint chips">
        {subjects.map((subject) => (
          <button
            key={`${subject.phrase} ${subject.occurrence}`}
            type="button"
            className="word"
            aria-pressed={subject.phrase === phrase}
            onClick={() => bind(index, subject)}
          >
            {subject.phrase}
          </button>
        ))}
        {subjects.length ? "or select words in the prompt." : "Select words in the prompt to name it."}
      </p>
      {found > 1 && (
        <NumberField
          label="Which mention"
          value={occurrence}
          empty="say which"
          min={1}
          max={found}
          onChange={(value) =>
            change<PathTrajectory>(index, "Choose the mention", (path) => {
              path.occurrence = value;
            })
          }
        />
      )}
    </>
  );
}
