/** The line that says what the clip shows, and the buttons that make it. */
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Model, Subject } from "../api/client";
import { trackColour } from "../canvas/palette";
import { boundTo, takesWords, writePrompt } from "../document/binding";
import { mentions, phraseAt, type Span, unknownWords } from "../document/phrases";
import { instructionsOf, modelTitle } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { attempt } from "../session/attempt";
import { Problems } from "../session/Problems";
import { askAgain, bind, useNotes, useProblemsOf, useSubjects } from "../session/readiness";
import { setSession } from "../session/session";
import { Button } from "../ui/Button";
import { runShot } from "./actions";
import { RunControls } from "./RunControls";
import { Vocabulary } from "./Vocabulary";

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

/** The text with a word put in at a place, parted from its neighbours; and where it ends. */
export function inserted(text: string, [start, end]: Span, word: string): [text: string, caret: number] {
  const before = text.slice(0, start);
  const after = text.slice(end);
  const put = `${before && !/\s$/.test(before) ? " " : ""}${word}`;
  const gap = after && !/^[\s,.;]/.test(after) ? " " : "";
  return [before + put + gap + after, before.length + put.length];
}

export function PromptBar({ model }: { model: Model | undefined }) {
  const shot = useShot();
  const field = useRef<HTMLTextAreaElement>(null);
  const marked = useRef<HTMLDivElement>(null);
  const caret = useRef<Span>([0, 0]);
  const [selected, setSelected] = useState<Subject | null>(null);
  const [browsing, setBrowsing] = useState(false);
  const problems = useProblemsOf("prompt");
  const notes = useNotes();
  const vocabulary = model?.limits.vocabulary ?? null;
  const marks = useMemo(() => {
    const unknown = vocabulary ? unknownWords(shot.prompt, vocabulary) : [];
    const found: Mark[] = unknown.map((span) => ({ span, kind: "unknown" }));
    instructionsOf(shot).forEach((instruction, index) => {
      const span = boundTo(shot.prompt, instruction);
      if (span) found.push({ span, kind: "phrase", colour: trackColour(index) });
    });
    return found;
  }, [shot, vocabulary]);

  const write = (prompt: string, at: number) =>
    useDocument.getState().perform(
      "Write the prompt",
      (draft) => {
        writePrompt(draft, prompt, at);
        return undefined;
      },
      "prompt",
    );

  const insert = (word: string) => {
    const [prompt, at] = inserted(shot.prompt, caret.current, word);
    write(prompt, at);
    caret.current = [at, at];
    // The field has the new text after the next paint.
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(at, at);
    });
  };

  // The field grows with its text.
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew for each text
  useEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "0";
    element.style.height = `${Math.min(96, element.scrollHeight)}px`;
  }, [shot.prompt]);

  // The first time after an installation the shot was looked at before its models were.
  const known = model !== undefined;
  useEffect(() => {
    if (known) void askAgain().catch(() => undefined);
  }, [known]);

  const look = () => {
    const element = field.current;
    if (!element) return;
    const { selectionStart: start, selectionEnd: end } = element;
    caret.current = [start, end];
    setSelected(start === end ? null : subjectAt(shot.prompt, start, end));
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") setBrowsing(false);
    if (event.key !== "Enter" || event.nativeEvent.isComposing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!event.shiftKey && !event.altKey) attempt(() => runShot());
  };

  return (
    <section className="prompt-bar" aria-label="Prompt and run">
      <div className="prompt-column">
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
            aria-invalid={problems.length > 0}
            aria-describedby={problems.length ? "prompt-problems" : undefined}
            rows={1}
            spellCheck={!vocabulary}
            placeholder="What does the clip show?"
            value={shot.prompt}
            onChange={({ currentTarget }) =>
              write(currentTarget.value.replace(/\r?\n/g, " "), currentTarget.selectionStart)
            }
            onKeyDown={onKeyDown}
            onScroll={(event) => {
              if (marked.current) marked.current.scrollTop = event.currentTarget.scrollTop;
            }}
            onSelect={look}
            onBlur={(event) => {
              if (!event.relatedTarget?.closest(".prompt-help")) setSelected(null);
            }}
          />
        </div>
        <Problems problems={problems} id="prompt-problems" most={3} />
        <Problems problems={notes} most={2} />
        <div className="prompt-line">
          <Binding />
          <span className="spring" />
          {model && vocabulary && (
            <button
              type="button"
              className="link"
              aria-expanded={browsing}
              onClick={() => setBrowsing(!browsing)}
            >
              {browsing ? "Hide the words" : `Words ${modelTitle(model.name)} knows`}
            </button>
          )}
        </div>
        {(selected || browsing) && (
          // The words stay selected while a button for them is pressed.
          // biome-ignore lint/a11y/noStaticElementInteractions: nothing is done here, only kept
          <div
            className="prompt-help"
            onMouseDown={(event) => {
              if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
            }}
          >
            {selected && <PhraseActions subject={selected} done={() => setSelected(null)} />}
            {browsing && model && vocabulary && <Vocabulary model={model} write={insert} />}
          </div>
        )}
      </div>
      <RunControls model={model} />
    </section>
  );
}

/** The words that a selection touches, and which mention of them it is. */
function subjectAt(prompt: string, start: number, end: number): Subject | null {
  const phrase = phraseAt(prompt, start, end);
  if (!phrase) return null;
  const all = mentions(prompt, phrase);
  const nth = all.findIndex(([low, high]) => low < end && high > start);
  return { phrase, occurrence: all.length > 1 && nth >= 0 ? nth + 1 : null };
}

/** While a path or a mark is selected: the things of the prompt, to bind it to, and that words can be selected. */
function Binding() {
  const shot = useShot();
  const selection = useDocument((state) => state.selection);
  const subjects = useSubjects();
  const index = selection?.instruction ?? -1;
  const chosen = instructionsOf(shot)[index];
  if (!takesWords(chosen))
    return <span className="hint">Enter makes a take. Select words to draw what they name.</span>;
  const what = chosen.kind === "target" ? "mark" : "path";
  const span = boundTo(shot.prompt, chosen);
  return (
    <span className="prompt-binding" role="group" aria-label={`What the selected ${what} is for`}>
      <i className="track-dot" style={{ background: trackColour(index) }} />
      <span className="hint">
        {span
          ? `This ${what} is for “${shot.prompt.slice(...span)}”. To change that, select`
          : `What is this ${what} for? Select`}{" "}
        words above, or click:
      </span>
      {subjects.map((subject) => (
        <button
          key={`${subject.phrase} ${subject.occurrence}`}
          type="button"
          className="word"
          onClick={() => bind(index, subject)}
        >
          {subject.phrase}
        </button>
      ))}
    </span>
  );
}

/** What can be done with words that are selected in the prompt. */
function PhraseActions({ subject, done }: { subject: Subject; done: () => void }) {
  const shot = useShot();
  const selection = useDocument((state) => state.selection);
  const index = selection?.instruction ?? -1;
  const chosen = instructionsOf(shot)[index];
  const { phrase } = subject;
  const draw = (tool: "box" | "point" | "target") => {
    setSession({ phrase, tool });
    done();
  };
  return (
    <div className="phrase-actions" role="group" aria-label={`For the words ${phrase}`}>
      <span>“{phrase}”</span>
      {takesWords(chosen) && (
        <Button
          onClick={() => {
            bind(index, subject);
            done();
          }}
        >
          Bind to the selected {chosen.kind === "target" ? "mark" : "path"}
        </Button>
      )}
      <Button tone="quiet" icon="box" onClick={() => draw("box")}>
        draw its box
      </Button>
      <Button tone="quiet" icon="point" onClick={() => draw("point")}>
        draw its path
      </Button>
      <Button tone="quiet" icon="target" onClick={() => draw("target")}>
        mark it
      </Button>
    </div>
  );
}
