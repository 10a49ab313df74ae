import { beforeEach, expect, it } from "vitest";
import { EXAMPLE } from "./shot";
import { shotNow, useDocument } from "./store";

const write = (prompt: string) =>
  useDocument.getState().perform(
    "Write",
    (shot) => {
      shot.prompt = prompt;
      return undefined;
    },
    "prompt",
  );
const { undo, redo, note, takeBack } = useDocument.getState();

/** A deed that says what became of it. */
function deed(done: string[], name: string) {
  return { undo: () => done.push(`undo ${name}`), redo: () => done.push(`redo ${name}`) } as never;
}

beforeEach(() => useDocument.getState().open({ ...EXAMPLE, prompt: "start" }));

it("is taken back in its turn among the edits, however they merge", () => {
  const done: string[] = [];
  write("before");
  note("Delete Take 3", deed(done, "delete"));
  // Writing goes on with the same merge key; the deed stands between.
  write("after");
  undo();
  expect([shotNow().prompt, done]).toEqual(["before", []]);
  undo();
  expect([shotNow().prompt, done]).toEqual(["before", ["undo delete"]]);
  undo();
  expect(shotNow().prompt).toBe("start");
  redo();
  redo();
  expect([shotNow().prompt, done]).toEqual(["before", ["undo delete", "redo delete"]]);
  redo();
  expect(shotNow().prompt).toBe("after");
});

it("leaves the document the very one it was, so that nothing has to be saved", () => {
  const before = shotNow();
  note("Delete Take 3", deed([], "delete"));
  expect(shotNow()).toBe(before);
  undo();
  expect(shotNow()).toBe(before);
});

it("can be taken back out of its turn, once", () => {
  const done: string[] = [];
  const [first, second] = [deed(done, "first"), deed(done, "second")];
  note("Delete Take 1", first);
  note("Delete Take 2", second);
  write("after");
  takeBack(first);
  expect(done).toEqual(["undo first"]);
  undo();
  undo();
  expect([done, shotNow().prompt]).toEqual([["undo first", "undo second"], "start"]);
  expect(useDocument.getState().history.past).toEqual([]);
});
