/** A question that has to be answered before something goes on. */
import { create } from "zustand";

export interface Question {
  title: string;
  text: string;
  /** What leaves everything as it is. */
  no: string;
  yes: string;
}

interface Asked {
  question: (Question & { answer(yes: boolean): void }) | null;
}

export const useQuestion = create<Asked>(() => ({ question: null }));

/** Asks a person; a question that is still open is answered with no. */
export function ask(question: Question): Promise<boolean> {
  useQuestion.getState().question?.answer(false);
  return new Promise((done) => {
    const answer = (yes: boolean) => {
      useQuestion.setState({ question: null });
      done(yes);
    };
    useQuestion.setState({ question: { ...question, answer } });
  });
}
