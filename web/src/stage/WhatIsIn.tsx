/** What is asked or offered over the stage: what a path is of; a model that follows what was drawn. */
import { can } from "../api/abilities";
import type { Model } from "../api/client";
import { useModels } from "../api/queries";
import { takesWords } from "../document/binding";
import { instructionsOf } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { Problems } from "../session/Problems";
import { bind, useProblemsOf, useSubjects } from "../session/readiness";
import { setSession, useSession } from "../session/session";
import { IconButton } from "../ui/Button";

const done = () => setSession({ asking: null });

/** The model that follows what is selected, where the shot's own does not. */
export function OtherModel() {
  const index = useDocument((state) => state.selection?.instruction ?? null);
  const asking = useSession((session) => session.asking);
  const problem = useProblemsOf(`instructions[${index}]`).find(
    ({ field }) => field === `instructions[${index}]`,
  );
  if (index === null || asking === index || !problem) return null;
  return (
    <div className="what-is-in" role="group" aria-label="Another model">
      <Problems problems={[problem]} />
    </div>
  );
}

/** Asks what is in a box, under a point or in a mark that was just drawn, with the things that the prompt speaks of. */
export function WhatIsIn({ model }: { model: Model | undefined }) {
  const index = useSession((session) => session.asking);
  const shot = useShot();
  const subjects = useSubjects();
  const abilities = useModels().data?.abilities ?? [];
  const drawn = index === null ? undefined : instructionsOf(shot)[index];
  if (index === null || !takesWords(drawn) || drawn.phrase) return null;
  const [label, question] =
    drawn.kind === "target"
      ? ["What is marked?", "What is it?"]
      : drawn.form === "box"
        ? ["What is in the box?", "What is in it?"]
        : ["What is at the point?", "What moves here?"];
  const { kind } = drawn;
  const followsAnything =
    kind === "trajectory" && model && can(model, abilities, { kind, form: drawn.form, named: false });
  return (
    <div className="what-is-in" role="group" aria-label={label}>
      <b>{question}</b>
      {subjects.map((subject) => (
        <button
          key={`${subject.phrase} ${subject.occurrence}`}
          type="button"
          className="word"
          onClick={() => {
            bind(index, subject);
            done();
          }}
        >
          {subject.phrase}
        </button>
      ))}
      {followsAnything && (
        <button type="button" className="word" onClick={done}>
          whatever is there
        </button>
      )}
      <small>
        {subjects.length
          ? "or select words in the prompt"
          : "Name it in the prompt, then select its words there"}
      </small>
      <IconButton icon="close" size={13} label="Answer later" onClick={done} />
    </div>
  );
}
