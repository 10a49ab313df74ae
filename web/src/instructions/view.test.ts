import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import type { Instruction } from "../document/shot";

// The page's client keeps its name there.
vi.stubGlobal("localStorage", { getItem: () => "here", setItem: () => undefined });
const { iconOf, viewOf } = await import("./view");

it("there is a view of every kind of instruction that the document knows", () => {
  const schema = JSON.parse(readFileSync(new URL("../../../docs/shot.schema.json", import.meta.url), "utf8"));
  type Properties = Record<"kind" | "form", { const?: string } | undefined>;
  const kinds = Object.values(schema.$defs as Record<string, { properties?: Properties }>)
    .map(({ properties }) => ({ kind: properties?.kind?.const, form: properties?.form?.const }))
    .filter(({ kind }) => kind);
  expect(kinds.length).toBeGreaterThanOrEqual(7);
  for (const kind of kinds) {
    expect(viewOf(kind as unknown as Instruction).Fields).toBeTypeOf("function");
    expect(iconOf(kind as unknown as Instruction)).toBeTypeOf("string");
  }
});

it("one without a folder is named", () => {
  expect(() => viewOf({ kind: "sound" } as unknown as Instruction)).toThrow("for sound");
});
