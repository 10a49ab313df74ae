/** The rooms of the page: each knows those before it in this list, and none after it. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOMS = [
  "ui",
  "document",
  "api",
  "tools",
  "session",
  "canvas",
  "instructions",
  "run",
  "timeline",
  "takes",
  "stage",
  "inspector",
  "desk",
  "the page",
] as const;

const root = dirname(fileURLToPath(import.meta.url));
const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => path.replaceAll("\\", "/"));

/** The half of each kind of instruction that draws nothing is the document's, and lies beside the half that does. */
const KINDS = /^instructions\/(?:[^/]+\/kind|kinds|kind)(?:\.test)?(?:\.ts)?$/;

function roomOf(path: string): string {
  if (KINDS.test(path)) return "document";
  return path.includes("/") ? (path.split("/")[0] as string) : "the page";
}

/** What a source imports of the page's own, by the path below the root. */
function importsOf(path: string, text: string): string[] {
  const told = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g);
  return [...told].map(([, said]) => normalize(join(dirname(path), said as string)).replaceAll("\\", "/"));
}

/** Every import that goes the wrong way. */
const against = (files: readonly (readonly [path: string, text: string])[]): string[] =>
  files.flatMap(([path, text]) =>
    importsOf(path, text)
      .filter((other) => {
        const [here, there] = [roomOf(path), roomOf(other)];
        return ROOMS.indexOf(there as never) > ROOMS.indexOf(here as never);
      })
      .map((other) => `${path} knows ${other}`),
  );

describe("the rooms of the page", () => {
  it("know only those before them", () => {
    // Styles have no rooms.
    const read = sources.map((path) => [path, readFileSync(join(root, path), "utf8")] as const);
    expect(read.length).toBeGreaterThan(100);
    expect(against(read)).toEqual([]);
  });

  it("are all in the list", () => {
    const there = new Set(sources.map(roomOf));
    expect([...there].filter((room) => !ROOMS.includes(room as never))).toEqual([]);
    expect(ROOMS.filter((room) => !there.has(room))).toEqual([]);
  });

  it("would be told of an import that goes the wrong way", () => {
    expect(against([["ui/Button.tsx", 'import { x } from "../session/session";']])).toEqual([
      "ui/Button.tsx knows session/session",
    ]);
    expect(against([["run/words.ts", 'const late = await import("../desk/Desk");']])).toHaveLength(1);
    expect(against([["desk/Desk.tsx", 'import { x } from "../ui/Button";']])).toEqual([]);
    expect(against([["instructions/box/kind.ts", 'import type { Painted } from "../views";']])).toHaveLength(
      1,
    );
  });
});
