/** Staging a shot as a newcomer does it: things are moved at frames, motions recorded, pictures dropped. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { draw, faults, keep, onFrame, openStudio, type Studio } from "./studio";

let studio: Studio;
let page: Page;
/** Answers that refuse. */
const refusals: string[] = [];

interface Keyframe {
  time: number;
  box?: number[];
  point?: number[];
}

const get = async (path: string) => (await fetch(`${studio.address}/api${path}`)).json();

/** The open shot as it is kept, once the page says that it is. */
async function kept() {
  await page.waitForTimeout(50);
  await expect.poll(() => page.locator(".save-state").textContent()).toMatch(/^Saved/);
  const [, id] = /shots\/([0-9a-f]{32})/.exec(page.url()) as RegExpExecArray;
  return (await get(`/shots/${id}`)).shot;
}

const keyframes = async (index = 0): Promise<Keyframe[]> => (await kept()).instructions[index].path.keyframes;

/** The left and top edge of the first keyframe's box. */
async function firstCorner(): Promise<[number, number]> {
  const [left, top] = (await keyframes())[0]?.box ?? [];
  return [left as number, top as number];
}

/** Stands at a frame, counted from 1 as the desk counts. */
async function stand(frame: number): Promise<void> {
  await page.getByRole("slider", { name: "Frame" }).fill(String(frame - 1));
}

const told = () => page.locator(".stage-told").textContent();
const field = (name: string) => page.getByRole("textbox", { name, exact: true });

beforeAll(async () => {
  studio = await openStudio();
  page = await studio.open();
  page.on("response", (answer) => {
    if (answer.status() >= 400) refusals.push(`${answer.status()} ${answer.url()}`);
  });
});

afterAll(async () => {
  await studio?.close();
});

describe("moving a thing at a frame", () => {
  it("taken at its centre, makes the keyframe of that frame and leaves the others alone", async () => {
    const before = await keyframes();
    await stand(5);
    await draw(page, [
      [0.367, 0.41],
      [0.367, 0.71],
    ]);
    const after = await keyframes();
    expect(after).toHaveLength(4);
    expect(after.filter((keyframe) => before.some((old) => old.time === keyframe.time))).toEqual(before);
    expect(after[1]?.time).toBeCloseTo(4 / 15, 3);
    expect(await told()).toBe("Frame 5: a new keyframe");
    await keep(page, "60-moved-at-a-frame");
  });

  it("beside another keyframe's dot, still makes its own", async () => {
    await stand(2);
    const [first] = await keyframes();
    const left = Number(await field("Left %").inputValue()) / 100;
    const top = Number(await field("Top %").inputValue()) / 100;
    await draw(page, [
      [left + 0.15, top + 0.15],
      [left + 0.25, top + 0.25],
    ]);
    const after = await keyframes();
    expect(after).toHaveLength(5);
    expect(after[0]).toEqual(first);
    expect(after[1]?.time).toBeCloseTo(1 / 15, 3);
  });

  it("taken at a corner, by its edge, or by arrow keys, changes that frame alone", async () => {
    const before = await keyframes();
    await stand(12);
    const edges = async () =>
      (
        await Promise.all(["Left %", "Top %", "Right %", "Bottom %"].map((name) => field(name).inputValue()))
      ).map((value) => Number(value) / 100) as [number, number, number, number];
    const [, , right, bottom] = await edges();
    await draw(page, [
      [right, bottom],
      [right - 0.05, bottom - 0.05],
    ]);
    let after = await keyframes();
    expect(after).toHaveLength(before.length + 1);
    expect(after.at(-2)?.time).toBeCloseTo(11 / 15, 3);
    const [left, top, , low] = await edges();
    await draw(page, [
      [left, (top + low) / 2],
      [left - 0.05, (top + low) / 2],
    ]);
    expect(await keyframes()).toHaveLength(before.length + 1);
    await stand(11);
    // The slider has keys of its own.
    await page.locator(".stage-canvas").focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
    after = await keyframes();
    expect(after).toHaveLength(before.length + 2);
    expect(after.at(-3)?.time).toBeCloseTo(10 / 15, 3);
    expect(after.filter((keyframe) => before.some((old) => old.time === keyframe.time))).toEqual(before);
  });

  it("the numbers are those of the frame on the stage, and change that one", async () => {
    const before = await keyframes();
    // A keyframe is chosen on the timeline; then the playhead goes elsewhere.
    await page.locator(".keyframe").first().click();
    await page.keyboard.press("End");
    await expect
      .poll(() => field("Left %").inputValue())
      .toBe(String((before.at(-1)?.box?.[0] as number) * 100));
    await stand(14);
    await page.getByText("Frame 14 has no keyframe").waitFor();
    await field("Top %").fill("20");
    await field("Top %").press("Enter");
    await page.getByText("the numbers of the keyframe at frame 14").waitFor();
    const after = await keyframes();
    expect(after).toHaveLength(before.length + 1);
    expect(after.at(-2)?.time).toBeCloseTo(13 / 15, 3);
    expect(after.at(-2)?.box?.[1]).toBe(0.2);
    expect(after.filter((keyframe) => before.some((old) => old.time === keyframe.time))).toEqual(before);
    await page.keyboard.press("Escape");
  });

  it("moves whole by its line, and says so", async () => {
    const before = await keyframes();
    const [x, y] = await onFrame(page, 0, 0);
    await page.mouse.move(x - 20, y - 20);
    await stand(16);
    const [a, b] = before.slice(0, 2).map(({ box }) => box as number[]) as [number[], number[]];
    const middle = (axis: 0 | 1) => ((a[axis] as number) + (b[axis] as number)) / 2 + 0.15;
    await draw(page, [
      [middle(0), middle(1)],
      [middle(0), middle(1) + 0.05],
    ]);
    expect(await told()).toBe("The whole path, at every frame");
    const after = await keyframes();
    expect(after.map(({ time }) => time)).toEqual(before.map(({ time }) => time));
    expect(after[0]?.box?.[1]).toBeGreaterThan(before[0]?.box?.[1] as number);
    await keep(page, "61-whole-path");
  });
});

describe("recording a motion", () => {
  it("takes the next pull as the path, in few keyframes on whole frames", async () => {
    await stand(1);
    await page.getByRole("button", { name: "Record its motion" }).click();
    const [left, top] = await firstCorner();
    const from = await onFrame(page, left + 0.15, top + 0.15);
    const to = await onFrame(page, 0.8, 0.5);
    const over = (await onFrame(page, 0, 0.3))[1] - (await onFrame(page, 0, 0))[1];
    await page.mouse.move(...from);
    await page.mouse.down();
    for (let i = 1; i <= 60; i++) {
      const share = i / 60;
      await page.mouse.move(
        from[0] + (to[0] - from[0]) * share,
        from[1] + (to[1] - from[1]) * share - over * Math.sin(Math.PI * share),
      );
      await page.waitForTimeout(20);
    }
    await keep(page, "62-recording");
    await page.mouse.up();
    const recorded = await keyframes();
    expect(recorded.length).toBeLessThanOrEqual(8);
    expect(recorded.length).toBeGreaterThanOrEqual(3);
    for (const { time } of recorded) expect(Math.abs(time * 15 - Math.round(time * 15))).toBeLessThan(0.01);
    expect(recorded[0]?.time).toBe(0);
    expect(recorded.at(-1)?.time).toBe(1);
    // It is one step, and an editable one.
    await keep(page, "63-recorded");
    await page.getByRole("button", { name: "Record its motion" }).waitFor();
    expect(await page.getByRole("button", { name: "Record its motion" }).getAttribute("aria-pressed")).toBe(
      "false",
    );
    expect(await faults(page)).toEqual([]);
  });

  it("is dropped by Escape, with nothing changed", async () => {
    const before = await keyframes();
    await page.keyboard.press("m");
    const [left, top] = await firstCorner();
    await page.mouse.move(...(await onFrame(page, left + 0.15, top + 0.15)));
    await page.mouse.down();
    await page.mouse.move(...(await onFrame(page, 0.6, 0.6)), { steps: 5 });
    await page.keyboard.press("Escape");
    await page.mouse.move(...(await onFrame(page, 0.2, 0.6)), { steps: 5 });
    await page.mouse.up();
    expect(await keyframes()).toEqual(before);
    expect(await page.locator(".frame-number").textContent()).toMatch(/^1 /);
    // The gesture goes first, then the recording that waited, then the selection.
    await page.keyboard.press("Escape");
    await page.getByRole("region", { name: "Selection" }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("region", { name: "Selection" }).count()).toBe(0);
  });
});

/** What has the focus: its label, else its text. */
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element === document.body
      ? "the page"
      : (element?.getAttribute("aria-label") ?? element?.textContent ?? "nothing");
  });
const stageHasFocus = async () => expect.poll(focused).toMatch(/^Stage/);
const layers = () => page.locator(".layer").count();
const PROMPT = "a red ball over the meadow";
const promptIs = async (words: string) =>
  expect(await page.getByLabel("Prompt: what the clip shows").inputValue()).toBe(words);

describe("by the keyboard alone", () => {
  it("leaves the prompt for the stage, takes the thing there and deletes it, not words", async () => {
    await page.keyboard.press("/");
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Escape");
    await stageHasFocus();
    await page.keyboard.press("Tab");
    await page.getByRole("region", { name: "Selection" }).waitFor();
    await page.keyboard.press("Delete");
    await expect.poll(layers).toBe(0);
    await stageHasFocus();
    for (const key of ["Delete", "Backspace", "ArrowLeft"]) await page.keyboard.press(key);
    await promptIs(PROMPT);
    await page.keyboard.press("Control+z");
    await expect.poll(layers).toBe(1);
  });

  it("the words that a tool was chosen for stay as they are", async () => {
    await page.keyboard.press("/");
    for (const keys of ["Home", "Control+ArrowRight", "Control+Shift+ArrowRight", "Control+Shift+ArrowRight"])
      await page.keyboard.press(keys);
    await page.getByRole("button", { name: "draw its box" }).click();
    await stageHasFocus();
    await page.keyboard.press("Backspace");
    await promptIs(PROMPT);
    await page.keyboard.press("Enter");
    await expect.poll(layers).toBe(2);
    await page.keyboard.press("Backspace");
    await expect.poll(layers).toBe(1);
    await stageHasFocus();
    await page.keyboard.press("v");
  });

  it("what a menu added is selected, and Delete is for it", async () => {
    for (const downs of [0, 1]) {
      await page.getByRole("button", { name: "Add an instruction" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("menu", { name: "Add an instruction" }).waitFor();
      for (let i = 0; i < downs; i++) await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      expect(await focused()).toBe("Add an instruction");
    }
    await expect.poll(layers).toBe(3);
    await page.keyboard.press("Delete");
    await expect.poll(layers).toBe(2);
    await promptIs(PROMPT);
    expect(await focused()).not.toBe("the page");
  });

  it("a deleted row hands the focus to the next, the last one to its panel", async () => {
    const remove = async (name: string) => {
      // A row shows what can be done with it when the focus is there.
      for (let i = 0; i < 4 && (await focused()) !== `Delete ${name}`; i++) await page.keyboard.press("Tab");
      expect(await focused()).toBe(`Delete ${name}`);
      await page.keyboard.press("Enter");
    };
    await page.locator(".layer-choose").first().focus();
    await remove("red ball");
    await expect.poll(layers).toBe(1);
    await expect.poll(focused).toMatch(/Motion$/);
    await remove("Motion");
    await expect.poll(layers).toBe(0);
    await expect.poll(focused).toBe("Add an instruction");
    for (const key of ["Delete", "Backspace"]) await page.keyboard.press(key);
    await promptIs(PROMPT);
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await expect.poll(layers).toBe(2);
  });

  it("a deleted keyframe hands it to another, a dialog gives it back", async () => {
    const count = () => page.locator(".keyframe").count();
    const before = await count();
    await page.locator(".keyframe").last().focus();
    await page.keyboard.press("Delete");
    await expect.poll(count).toBe(before - 1);
    await expect.poll(focused).toMatch(/^Keyframe /);
    const at = await focused();
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator("dialog[open]").count()).toBe(0);
    await expect.poll(focused).toBe(at);
  });

  it("a click on nothing leaves the keys with the stage", async () => {
    await page.getByRole("heading", { name: "Instructions" }).click();
    await stageHasFocus();
    await keep(page, "64-keyboard");
  });
});

/** Lets a picture of two halves fall on the stage, as a file manager would. */
async function drop(width: number, height: number, [left, right]: [string, string]): Promise<void> {
  const data = await page.evaluateHandle(
    async ([w, h, first, second]) => {
      const canvas = new OffscreenCanvas(w, h);
      const paint = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
      paint.fillStyle = first;
      paint.fillRect(0, 0, w, h);
      paint.fillStyle = second;
      paint.fillRect(w / 2, 0, w / 2, h);
      const carried = new DataTransfer();
      carried.items.add(new File([await canvas.convertToBlob()], "halves.webp", { type: "image/png" }));
      return carried;
    },
    [width, height, left, right] as const,
  );
  await page.dispatchEvent(".stage-canvas", "drop", { dataTransfer: data });
}

/** Which colour the stage shows, in pixels from its middle: red, blue, or what it is. */
const colourAt = (dx: number, dy = 0): Promise<string> =>
  page.evaluate(
    ([x, y]) => {
      const canvas = document.querySelector(".stage-canvas canvas") as HTMLCanvasElement;
      const scale = canvas.width / canvas.clientWidth;
      const place = [(canvas.clientWidth / 2 + x) * scale, (canvas.clientHeight / 2 + y) * scale];
      const [left, top] = place.map(Math.round) as [number, number];
      const [red, , blue] = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
        left,
        top,
        1,
        1,
      ).data as unknown as [number, number, number];
      if (red > 150 && blue < 80) return "red";
      return blue > 150 && red < 80 ? "blue" : `${red} red, ${blue} blue`;
    },
    [dx, dy] as const,
  );

const shotMenu = async (command: RegExp) => {
  await page.getByRole("button", { name: /^Shot: / }).click();
  await page.getByRole("menuitem", { name: command }).click();
};

describe("a picture in a new shot", () => {
  it("is on the stage at once, though a take of another shot was looked at", async () => {
    // What the keyboard added goes; the first shot can run.
    while ((await layers()) > 1) {
      await page.locator(".layer-choose").last().click();
      await page.keyboard.press("Delete");
    }
    await field("Steps").fill("1");
    await field("Steps").press("Enter");
    await page.keyboard.press("Control+Enter");
    await expect
      .poll(() => page.locator(".run-state").textContent(), { timeout: 400_000, interval: 300 })
      .toMatch(/finished/i);
    await shotMenu(/^New shot/);
    const name = page.getByRole("textbox", { name: "Name of the new shot" });
    await name.fill("With a picture");
    await name.press("Enter");
    await page.getByRole("button", { name: "Shot: With a picture" }).waitFor();
    while ((await layers()) > 0) {
      const left = await layers();
      await page.locator(".layer-choose").last().click();
      await page.keyboard.press("Delete");
      await expect.poll(layers).toBe(left - 1);
    }
    await drop(200, 100, ["#c0392b", "#2980b9"]);
    await page.getByRole("region", { name: "Shape of the picture" }).waitFor();
    await expect.poll(() => colourAt(-40)).toBe("red");
    expect(await colourAt(40)).toBe("blue");
    await keep(page, "66-picture-in-a-new-shot");
    expect(await faults(page)).toEqual([]);
  });
});

describe("a picture of another shape", () => {
  const shape = () => page.getByRole("region", { name: "Shape of the picture" });

  it("says what would be cut, and shows another part of it", async () => {
    expect(await shape().textContent()).toContain("50 % of it is cut off, left and right");
    await shape()
      .getByRole("slider", { name: /Show another part/ })
      .fill("0");
    await expect.poll(() => colourAt(40)).toBe("red");
    await keep(page, "67-another-part");
    await shape().getByRole("button", { name: "Use this part" }).click();
    await expect.poll(() => shape().count()).toBe(0);
    await expect.poll(() => colourAt(40)).toBe("red");
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("Control+z");
    await shape().waitFor();
    await expect.poll(() => colourAt(40)).toBe("blue");
  });

  it("is fitted in with bars, all of it", async () => {
    await shape().getByRole("button", { name: "Fit it in, with bars" }).click();
    await expect.poll(() => shape().count()).toBe(0);
    const box = await page.locator(".stage-canvas").boundingBox();
    const half = (Math.min(box?.width ?? 0, box?.height ?? 0) - 72) / 2;
    // Above and below are bars of the rim's colour, which is neither half's.
    await expect.poll(() => colourAt(half * 0.9)).toBe("blue");
    await expect.poll(() => colourAt(half * 0.9, half * 0.8)).toMatch(/red, .* blue/);
    expect(await colourAt(half * -0.9)).toBe("red");
    await keep(page, "68-fitted");
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("Control+z");
    await shape().waitFor();
  });

  it("gives the clip its shape, in a size that the model takes", async () => {
    await shape()
      .getByRole("button", { name: /^Match the clip/ })
      .click();
    await expect.poll(() => shape().count()).toBe(0);
    const { width, height } = await kept();
    expect(Math.abs(width / height - 2)).toBeLessThan(0.15);
    expect([width % 8, height % 8]).toEqual([0, 0]);
    await keep(page, "69-matched");
    const presets = page.getByLabel("Shape", { exact: true });
    const tall = await presets.locator("option", { hasText: /^9:16/ }).getAttribute("value");
    await presets.selectOption(tall);
    await shape().waitFor();
    const now = await kept();
    expect(`${now.width}x${now.height}`).toBe(tall);
    await shape().getByRole("button", { name: "Keep the middle" }).click();
    await expect.poll(() => shape().count()).toBe(0);
    await page.locator(".layer-choose").first().click();
    await page.getByRole("button", { name: "Change that" }).click();
    await shape().waitFor();
    await shape().getByRole("button", { name: "Keep the middle" }).click();
  });
});

describe("more frames than the model makes", () => {
  it("are marked on the timeline and said on the stage, with what helps", async () => {
    const { models } = await get("/models");
    const { limits } = models.find(({ name }: { name: string }) => name === "theatre-video");
    const most = limits.max_frames as number;
    await page.getByText(/^Size, length/).click();
    await field("Frames").fill(String(most + 8));
    await field("Frames").press("Enter");
    await page.locator(".beyond-note").getByText(`makes at most ${most} frames`).waitFor();
    await stand(most + 3);
    await page.getByText(`Frame ${most + 3} lies after the last one`).waitFor();
    await keep(page, "70-beyond");
    await page
      .locator(".beyond-note")
      .getByRole("button", { name: `Make ${most} frames` })
      .click();
    await expect.poll(() => page.locator(".beyond").count()).toBe(0);
    expect((await kept()).frames).toBe(most);
  });
});

/** What of the things that match sticks out of the window, or of what holds them. */
const sticksOut = (selector: string) =>
  page.evaluate((wanted) => {
    const found = [...document.querySelectorAll<HTMLElement>(wanted)].filter((element) =>
      element.checkVisibility(),
    );
    return found
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight)
      .map(({ element, box }) => `${element.className} ${JSON.stringify(box)}`);
  }, selector);

describe.each([
  [1024, 768],
  [1440, 900],
])("in a window of %i x %i", (width, height) => {
  it("every menu lies inside", async () => {
    await page.setViewportSize({ width, height });
    const menus = page.locator("button[aria-haspopup=menu]:visible:not(:disabled)");
    const count = await menus.count();
    expect(count).toBeGreaterThanOrEqual(5);
    for (let i = 0; i < count; i++) {
      await menus.nth(i).click();
      await page.locator(".menu-list").waitFor();
      expect(await sticksOut(".menu-list, .menu-list [role^=menuitem]")).toEqual([]);
      await page.keyboard.press("Escape");
      await expect.poll(() => page.locator(".menu-list").count()).toBe(0);
    }
  });

  it("so do every tool and its options, the dialogs, and what is offered for selected words", async () => {
    for (const key of "vhrpidbelt") {
      await page.locator(".stage-canvas").focus();
      await page.keyboard.press(key);
      expect(await sticksOut(".tool, .tool-options, .tool-options *:not(.unseen)")).toEqual([]);
      const inspector = await page.locator(".inspector").boundingBox();
      const reach = await page.evaluate(() =>
        Math.max(
          ...[...document.querySelectorAll(".tool-options *:not(.unseen)")].map(
            (element) => element.getBoundingClientRect().right,
          ),
        ),
      );
      expect(reach).toBeLessThanOrEqual((inspector?.x ?? 0) + 1);
    }
    await keep(page, `65-options-${width}`);
    await page.keyboard.press("v");
    await page.keyboard.press("?");
    expect(await sticksOut("dialog[open]")).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    await page.keyboard.press("Control+a");
    await page.locator(".phrase-actions").waitFor();
    expect(await sticksOut(".prompt-help, .prompt-help *")).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });
});

describe("the page", () => {
  it("complained of nothing, and nothing was refused", () => {
    expect(studio.complaints).toEqual([]);
    expect(refusals).toEqual([]);
  });
});
