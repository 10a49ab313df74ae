import { beforeEach, describe, expect, it, vi } from "vitest";

// The desk without a page.
vi.hoisted(() => {
  const kept = new Map<string, string>();
  Object.assign(globalThis, {
    window: globalThis,
    location: { origin: "http://studio", pathname: "/", hash: "" },
    localStorage: {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    },
    addEventListener: () => {},
    removeEventListener: () => {},
  });
});

import { EXAMPLE, type Shot } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { useQuestion } from "../ui/question";
import { newShot, openShot } from "./opening";
import { hasUnsaved, markSaved, saveNow, startSaving, useSaving } from "./saving";
import { sessionNow, setSession } from "./session";

const view = (id: string, prompt: string, revision = 1) =>
  ({ id, project: "p", name: id, revision, prompt, deleted: false, shot: { ...EXAMPLE, prompt } }) as never;

/** How the studio answers a save: with a refusal, or by keeping it. */
let refusal: { status: number; error: string } | null = null;
let asked: string[] = [];

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

vi.stubGlobal("fetch", async (request: Request) => {
  const path = new URL(request.url).pathname;
  asked.push(`${request.method} ${path}`);
  if (request.method === "PUT") {
    if (refusal) return json({ error: refusal.error, field: null }, refusal.status);
    const { shot } = (await request.json()) as { shot: Shot };
    return json({ ...(view("here", shot.prompt, 2) as object), shot });
  }
  if (request.method === "POST") return json(view("made", "made"), 201);
  if (path.endsWith("/takes")) return json({ takes: [], last_event: 0 });
  return json(view(path.split("/").at(-1) as string, "there"));
});

const write = (prompt: string) =>
  useDocument.getState().perform("Write", (shot) => {
    shot.prompt = prompt;
    return undefined;
  });

startSaving();

beforeEach(() => {
  refusal = null;
  asked = [];
  setSession({ project: "p", shot: "here" });
  useDocument.getState().open({ ...EXAMPLE, prompt: "here" });
  markSaved(view("here", "here"), shotNow());
});

/** Answers the question when it is asked. */
async function answerWith(yes: boolean): Promise<string> {
  await vi.waitFor(() => expect(useQuestion.getState().question).not.toBeNull());
  const { question } = useQuestion.getState();
  question?.answer(yes);
  return question?.text ?? "";
}

describe.each([
  [409, "the shot has moved on to revision 5"],
  [507, "The disk is full: nothing is lost"],
  [422, "prompt: it is too long"],
])("where a save is refused with %i", (status, error) => {
  it("the person is asked, and stays with all that was done", async () => {
    write("changed");
    refusal = { status, error };
    const opening = openShot("other");
    expect(await answerWith(false)).toContain(error);
    expect(await opening).toBe(false);
    expect(asked).not.toContain("GET /api/shots/other");
    expect(sessionNow().shot).toBe("here");
    expect(shotNow().prompt).toBe("changed");
    expect(useDocument.getState().history.past).toHaveLength(1);
    expect(hasUnsaved()).toBe(true);
    expect(useSaving.getState().state).toBe(status === 409 ? "conflict" : "refused");
    expect(useSaving.getState().full ?? false).toBe(status === 507);
  });

  it("the changes go only when the person says so, once", async () => {
    write("changed");
    refusal = { status, error };
    const opening = openShot("other");
    await answerWith(true);
    expect(await opening).toBe(true);
    expect(sessionNow().shot).toBe("other");
    expect(shotNow().prompt).toBe("there");
    expect(useQuestion.getState().question).toBeNull();
  });

  it("no other shot is made either", async () => {
    write("changed");
    refusal = { status, error };
    const making = newShot(EXAMPLE, "another");
    await answerWith(false);
    await making;
    expect(asked.filter((call) => call.startsWith("POST"))).toEqual([]);
    expect(shotNow().prompt).toBe("changed");
  });
});

it("what can be saved is saved, and nobody is asked", async () => {
  write("changed");
  expect(await openShot("other")).toBe(true);
  expect(asked).toEqual(["PUT /api/shots/here", "GET /api/shots/other"]);
  expect(useSaving.getState().state).toBe("saved");
});

it("what is changed while a save is on its way is not called saved", async () => {
  write("one");
  const saving = saveNow();
  write("two");
  await saving;
  expect(hasUnsaved()).toBe(true);
  expect(useSaving.getState().state).toBe("waiting");
  await saveNow();
  expect(useSaving.getState().state).toBe("saved");
});

it("what could not be saved is not called saved before it is", async () => {
  write("changed");
  refusal = { status: 422, error: "prompt: it is too long" };
  await expect(saveNow()).rejects.toThrow("too long");
  write("shorter");
  expect(useSaving.getState().state).toBe("waiting");
  refusal = null;
  await saveNow();
  expect(useSaving.getState().state).toBe("saved");
});
