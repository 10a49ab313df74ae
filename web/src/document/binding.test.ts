import { describe, expect, it } from "vitest";
import { boundTo, isLoose, nameIn, writePrompt } from "./binding";
import { EXAMPLE, instructionsOf, type Shot } from "./shot";

const fresh = (): Shot => structuredClone(EXAMPLE);
const phrase = (shot: Shot, index = 0) => {
  const instruction = instructionsOf(shot)[index];
  return instruction && "phrase" in instruction ? instruction.phrase : undefined;
};

/** Types as a person does: key by key where the caret is, in place of what is selected. */
function type(shot: Shot, from: number, to: number, keys: string): void {
  let [start, end] = [from, to];
  for (const key of keys) {
    if (key === "⌫") {
      if (start === end) start--;
      writePrompt(shot, shot.prompt.slice(0, start) + shot.prompt.slice(end), start);
    } else {
      writePrompt(shot, shot.prompt.slice(0, start) + key + shot.prompt.slice(end), start + 1);
      start++;
    }
    end = start;
  }
}

/** Types in the place of some words of the prompt. */
function typeOver(shot: Shot, words: string, keys: string): void {
  const at = shot.prompt.indexOf(words);
  type(shot, at, at + words.length, keys);
}

describe("bound words", () => {
  it("stay bound under what is typed before and behind them", () => {
    const shot = fresh();
    type(shot, 0, 0, "slowly, ");
    type(shot, shot.prompt.length, shot.prompt.length, " at night");
    typeOver(shot, "over", "in");
    expect(shot.prompt).toBe("slowly, a red ball in the meadow at night");
    expect(phrase(shot)).toBe("red ball");
  });

  it("take what is typed into them", () => {
    const shot = fresh();
    typeOver(shot, "ball", "balloon");
    expect(phrase(shot)).toBe("red balloon");
    const at = shot.prompt.indexOf("balloon");
    type(shot, at, at, "big ");
    expect([shot.prompt, phrase(shot)]).toEqual(["a red big balloon over the meadow", "red big balloon"]);
    type(shot, 2, 2, "b");
    expect(phrase(shot)).toBe("bred big balloon");
  });

  it("are rebound by what is typed over them", () => {
    const shot = fresh();
    typeOver(shot, "red ball", "blue fish");
    expect([shot.prompt, phrase(shot)]).toEqual(["a blue fish over the meadow", "blue fish"]);
    type(shot, 11, 11, " swims");
    expect(phrase(shot)).toBe("blue fish");
  });

  it("are rebound by what is typed after they were taken away", () => {
    const shot = fresh();
    const end = shot.prompt.indexOf(" over");
    type(shot, end, end, "⌫⌫⌫⌫⌫⌫⌫⌫");
    expect(shot.prompt).toBe("a  over the meadow");
    expect(phrase(shot)).toBe("red ball");
    expect(isLoose(shot.prompt, instructionsOf(shot)[0] as never)).toBe(true);
    type(shot, 2, 2, "green cat");
    expect([shot.prompt, phrase(shot)]).toEqual(["a green cat over the meadow", "green cat"]);
  });

  it("are rebound where the prompt was written anew round the same words", () => {
    const shot = fresh();
    writePrompt(shot, "a blue fish over the sea");
    expect(phrase(shot)).toBe("blue fish");
  });

  it("are loose where the whole prompt was written anew, and bound again when they are back", () => {
    const shot = fresh();
    type(shot, 0, shot.prompt.length, "two cats in the snow");
    expect(phrase(shot)).toBe("red ball");
    expect(isLoose(shot.prompt, instructionsOf(shot)[0] as never)).toBe(true);
    writePrompt(shot, "");
    writePrompt(shot, "a red ball in the snow");
    expect(boundTo(shot.prompt, instructionsOf(shot)[0])).toEqual([2, 10]);
  });

  it("of several things stay with each", () => {
    const shot = fresh();
    shot.prompt = "a red ball and a red ball";
    const [first] = instructionsOf(shot);
    shot.instructions = [
      { ...(first as object), occurrence: 1 } as never,
      { ...(first as object), occurrence: 2 } as never,
    ];
    typeOver(shot, "red ball", "blue car");
    expect(shot.prompt).toBe("a blue car and a red ball");
    expect([phrase(shot, 0), phrase(shot, 1)]).toEqual(["blue car", "red ball"]);
    expect(boundTo(shot.prompt, instructionsOf(shot)[1])).toEqual([17, 25]);
    const second = shot.prompt.length;
    type(shot, 0, second, "x");
    expect([phrase(shot, 0), phrase(shot, 1)]).toEqual(["blue car", "red ball"]);
  });

  it("end where a thing's name ends", () => {
    const named = (text: string) => {
      const span = nameIn(text);
      return span && text.slice(...span);
    };
    expect(named("the big dog, running")).toBe("big dog");
    expect(named("a cat and a bird")).toBe("cat");
    expect(named("  ")).toBeNull();
    expect(named("over the sea")).toBeNull();
  });
});
