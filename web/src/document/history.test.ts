import { describe, expect, it } from "vitest";
import { begin, type History, perform, redo, undo } from "./history";

interface Note {
  words: string[];
}

const add = (history: History<Note>, word: string, merge: string | null = null) =>
  perform(history, `add ${word}`, (note) => void note.words.push(word), merge);

describe("history", () => {
  it("undoes and redoes exactly", () => {
    const start = begin<Note>({ words: [] });
    const one = add(start, "a");
    const two = add(one, "b");
    expect(undo(two).present).toEqual(one.present);
    expect(undo(undo(two)).present).toEqual(start.present);
    expect(redo(undo(two)).present).toEqual(two.present);
    expect(undo(start)).toBe(start);
    expect(redo(two)).toBe(two);
  });

  it("forgets what was undone once something new is done", () => {
    const history = add(undo(add(add(begin<Note>({ words: [] }), "a"), "b")), "c");
    expect(history.present.words).toEqual(["a", "c"]);
    expect(history.future).toHaveLength(0);
  });

  it("merges commands of one key into one step", () => {
    let history = add(begin<Note>({ words: [] }), "a");
    for (const word of ["b", "c", "d"]) history = add(history, word, "slide");
    expect(history.past).toHaveLength(2);
    const back = undo(history);
    expect(back.present.words).toEqual(["a"]);
    expect(redo(back).present.words).toEqual(["a", "b", "c", "d"]);
  });

  it("does not merge across an undo and redo", () => {
    let history = add(begin<Note>({ words: [] }), "a", "slide");
    history = add(redo(undo(history)), "b", "slide");
    expect(undo(history).present.words).toEqual(["a"]);
  });

  it("takes no step for a command that changes nothing", () => {
    const history = add(begin<Note>({ words: [] }), "a");
    expect(perform(history, "nothing", () => undefined)).toBe(history);
  });

  it("survives any sequence of commands, undo and redo", () => {
    let random = 12345;
    const next = (below: number) => {
      random = (random * 1103515245 + 12345) % 2147483648;
      return random % below;
    };
    let history = begin<Note>({ words: [] });
    const states = [history.present];
    let at = 0;
    for (let i = 0; i < 400; i++) {
      const dice = next(4);
      if (dice === 0) {
        history = undo(history);
        at = Math.max(0, at - 1);
      } else if (dice === 1) {
        history = redo(history);
        at = Math.min(states.length - 1, at + 1);
      } else {
        history = add(history, String(i));
        states.splice(at + 1, states.length, history.present);
        at = states.length - 1;
      }
      expect(history.present).toEqual(states[at]);
    }
  });
});
