/** The line that says what the clip shows, and the button that makes it. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { Model } from "../api/client";
import { setSession } from "../desk/session";
import { mentions, phraseAt, type Span, unknownWords } from "../document/phrases";
import { instructionsOf, isPath, modelTitle } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { trackColour } from "../stage/palette";
import { Button } from "../ui/Button";
import { RunControls } from "./RunControls";

interface Mark {
  span: Span;
  kind: "unknown" | "phrase";
  colour?: string;
}

/** The prompt cut at its marks; unknown words go before the words of paths. */
function pieces(prompt: string, marks: readonly Mark[]): { text: string; mark: Mark | null; at: number }[] {
  const cuts = [...new Set([0, prompt.length, ...marks.flatMap(({ span }) => span)])].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, i) => {
    const end = cuts[i + 1] as number;
    const over = marks.filter(({ span }) => span[0] <= start && span[1] >= end);
    return {
      text: prompt.slice(start, end),
      mark: over.find(({ kind }) => kind === "unknown") ?? over[0] ?? null,
      at: start,
    };
  });
}

export function PromptBar({ model }: { model: Model | undefined }) {
  const shot = useShot();
  const field = useRef<HTMLTextAreaElement>(null);
  const marked = useRef<HTMLDivElement>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const unknown = useMemo(
    () => (model?.limits.vocabulary ? unknownWords(shot.prompt, model.limits.vocabulary) : []),
    [shot.prompt, model],
  );
  const marks = useMemo(() => {
    const found: Mark[] = unknown.map(({ span }) => ({ span, kind: "unknown" }));
    instructionsOf(shot).forEach((instruction, index) => {
      const phrase = "phrase" in instruction ? instruction.phrase : null;
      if (!phrase) return;
      const all = mentions(shot.prompt, phrase);
      const nth = ("occurrence" in instruction && instruction.occurrence) || 1;
      const span = all[nth - 1];
      if (span) found.push({ span, kind: "phrase", colour: trackColour(index) });
    });
    return found;
  }, [shot, unknown]);

  const write = (prompt: string) =>
    useDocument.getState().perform(
      "Write the prompt",
      (draft) => {
        draft.prompt = prompt;
        return undefined;
      },
      "prompt",
    );

  const replace = (span: Span, word: string) =>
    useDocument.getState().perform(`Write ${word}`, (draft) => {
      draft.prompt = draft.prompt.slice(0, span[0]) + word + draft.prompt.slice(span[1]);
      return undefined;
    });

  // The field grows with its text.
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew for each text
  useEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "0";
    element.style.height = `${Math.min(96, element.scrollHeight)}px`;
  }, [shot.prompt]);

  const look = () => {
    const element = field.current;
    if (!element) return;
    const { selectionStart: start, selectionEnd: end } = element;
    setSelected(start === end ? null : phraseAt(shot.prompt, start, end));
  };

  return (
    <section className="prompt-bar" aria-label="Prompt and run">
      <div className="prompt-field">
        <div className="prompt-marks" ref={marked} aria-hidden="true">
          {pieces(shot.prompt, marks).map(({ text, mark, at }) => (
            <span
              key={at}
              className={mark ? `prompt-${mark.kind}` : undefined}
              style={mark?.colour ? { textDecorationColor: mark.colour } : undefined}
            >
              {text}
            </span>
          ))}{" "}
        </div>
        <textarea
          ref={field}
          aria-label="Prompt: what the clip shows"
          aria-invalid={unknown.length > 0}
          aria-describedby={unknown.length ? "prompt-unknown" : undefined}
          rows={1}
          spellCheck={!model?.limits.vocabulary}
          placeholder="What does the clip show?"
          value={shot.prompt}
          onChange={(event) => write(event.currentTarget.value.replace(/\n/g, " "))}
          onScroll={(event) => {
            if (marked.current) marked.current.scrollTop = event.currentTarget.scrollTop;
          }}
          onSelect={look}
          onBlur={(event) => {
            if (!event.relatedTarget?.closest(".prompt-help")) setSelected(null);
          }}
        />
        {(unknown.length > 0 || selected) && (
          // The words stay selected while a button for them is pressed.
          // biome-ignore lint/a11y/noStaticElementInteractions: nothing is done here, only kept
          <div className="prompt-help" onMouseDown={(event) => event.preventDefault()}>
            {selected && <PhraseActions phrase={selected} done={() => setSelected(null)} />}
            {unknown.length > 0 && (
              <div id="prompt-unknown" className="prompt-unknown-list">
                {unknown.slice(0, 3).map(({ word, span, nearest }) => (
                  <span key={span[0]}>
                    {model && modelTitle(model.name)} does not know <b>{word}</b>
                    {nearest.map((near) => (
                      <button key={near} type="button" className="word" onClick={() => replace(span, near)}>
                        {near}
                      </button>
                    ))}
                  </span>
                ))}
              </div>
            )}
          </div>
        )}
      </div>
      <RunControls model={model} />
    </section>
  );
}

/** What can be done with words that are selected in the prompt. */
function PhraseActions({ phrase, done }: { phrase: string; done: () => void }) {
  const shot = useShot();
  const selection = useDocument((state) => state.selection);
  const chosen = selection ? instructionsOf(shot)[selection.instruction] : undefined;
  const name = () => {
    useDocument.getState().perform(`Name the subject ${phrase}`, (draft) => {
      const instruction = instructionsOf(draft)[selection?.instruction ?? -1];
      if (isPath(instruction) || instruction?.kind === "target") instruction.phrase = phrase;
      return undefined;
    });
    done();
  };
  const draw = (tool: "box" | "point" | "target") => {
    setSession({ phrase, tool });
    done();
  };
  return (
    <div className="phrase-actions" role="group" aria-label={`For the words ${phrase}`}>
      <span>“{phrase}”</span>
      {(isPath(chosen) || chosen?.kind === "target") && (
        <Button tone="quiet" onClick={name}>
          is the selected subject
        </Button>
      )}
      <Button tone="quiet" icon="box" onClick={() => draw("box")}>
        draw its box
      </Button>
      <Button tone="quiet" icon="point" onClick={() => draw("point")}>
        draw its way
      </Button>
      <Button tone="quiet" icon="target" onClick={() => draw("target")}>
        mark it
      </Button>
    </div>
  );
}
