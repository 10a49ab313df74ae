import { useEffect, useRef } from "react";
import { Button } from "./Button";
import { useQuestion } from "./question";

/** The open question, over everything; Escape says no. */
export function QuestionDialog() {
  const question = useQuestion((state) => state.question);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (question) dialog.current?.showModal();
    else dialog.current?.close();
  }, [question]);
  return (
    <dialog
      ref={dialog}
      className="sheet question"
      role="alertdialog"
      aria-labelledby="question-title"
      aria-describedby="question-text"
      onCancel={(event) => {
        event.preventDefault();
        question?.answer(false);
      }}
    >
      {question && (
        <>
          <h2 id="question-title">{question.title}</h2>
          <p id="question-text">{question.text}</p>
          <div className="question-answers">
            <Button onClick={() => question.answer(false)}>{question.no}</Button>
            <Button tone="danger" onClick={() => question.answer(true)}>
              {question.yes}
            </Button>
          </div>
        </>
      )}
    </dialog>
  );
}
