/** All words that a model of a closed vocabulary knows, by kind; a click writes one where the caret is. */
import { useState } from "react";
import type { Model } from "../api/client";
import { modelTitle } from "../document/shot";

export function Vocabulary({ model, write }: { model: Model; write: (word: string) => void }) {
  const [sought, setSought] = useState("");
  const { word_groups: groups = [], vocabulary } = model.limits;
  const wanted = sought.trim().toLowerCase();
  return (
    <section className="vocabulary" aria-label={`Words that ${modelTitle(model.name)} knows`}>
      <header>
        <b>
          {modelTitle(model.name)} knows these {vocabulary?.length} words
        </b>
        <input
          type="search"
          aria-label="Find a word"
          placeholder="Find a word"
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
      </header>
      {groups.map(({ name, words }) => {
        const shown = words.filter((word) => word.includes(wanted));
        if (!shown.length) return null;
        return (
          <div key={name} role="group" aria-label={name}>
            <small>{name}</small>
            {shown.map((word) => (
              <button key={word} type="button" className="word" onClick={() => write(word)}>
                {word}
              </button>
            ))}
          </div>
        );
      })}
      <p className="hint">
        Click a word to write it where the caret is. Such as: a red ball over the meadow.
      </p>
    </section>
  );
}
