/** A person's way through the desk, in a real browser against the real server and the theatre's model. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARTIFACTS, draw, faults, keep, onFrame, openStudio, type Studio } from "./studio";

const MINUTES = 60_000;

let studio: Studio;
let page: Page;

const state = () => page.locator(".run-state");
const primary = () => page.locator(".run-button.button-primary");
const lanes = () => page.locator(".lane");
const step = (number: number) => page.getByRole("option", { name: new RegExp(`^Step ${number}(,|$)`) });

async function waitForState(words: RegExp, minutes = 8): Promise<void> {
  await expect
    .poll(() => state().textContent(), { timeout: minutes * MINUTES, interval: 300 })
    .toMatch(words);
}

beforeAll(async () => {
  studio = await openStudio();
  page = await studio.open();
});

afterAll(async () => {
  await studio?.close();
});

describe("the desk", () => {
  it("opens with an example that is ready to run", async () => {
    expect(await page.getByLabel("Prompt: what the clip shows").inputValue()).toBe(
      "a red ball over the meadow",
    );
    await expect.poll(() => page.locator(".layer").count()).toBe(1);
    await page.getByRole("textbox", { name: "Steps" }).waitFor();
    await expect
      .poll(() => page.getByRole("textbox", { name: "Steps" }).getAttribute("placeholder"), {
        timeout: 3 * MINUTES,
      })
      .toMatch(/^\d+$/);
    await keep(page, "01-first-run");
    expect(await faults(page)).toEqual([]);
  });

  it("loads in at most 500 KB", async () => {
    const sizes = await page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .filter((entry) => /\.(js|css|woff2|svg)$/.test(entry.name))
        .map((entry) => (entry as PerformanceResourceTiming).name),
    );
    const { gzipSync } = await import("node:zlib");
    let bytes = 0;
    for (const address of sizes) {
      const content = Buffer.from(await (await fetch(address)).arrayBuffer());
      bytes += address.endsWith(".woff2") ? content.length : gzipSync(content).length;
    }
    expect(bytes).toBeLessThanOrEqual(500 * 1024);
  });

  it("names the word the model does not know, and puts the nearest in its place", async () => {
    const prompt = page.getByLabel("Prompt: what the clip shows");
    await prompt.fill("a red bal over the meadow");
    await page.locator(".prompt-column .problem", { hasText: "does not know" }).waitFor();
    await keep(page, "02-unknown-word");
    await page.locator(".prompt-column .problem .word", { hasText: /^ball$/ }).click();
    expect(await prompt.inputValue()).toBe("a red ball over the meadow");
  });

  it("draws a path for words picked in the prompt", async () => {
    await page.locator(".layer-choose").first().click();
    await page.locator(".layer").first().hover();
    await page.getByRole("button", { name: "Delete red ball" }).click();
    await expect.poll(() => page.locator(".layer").count()).toBe(0);
    const prompt = page.getByLabel("Prompt: what the clip shows");
    await prompt.focus();
    for (const keys of ["Home", "Control+ArrowRight", "Control+Shift+ArrowRight", "Control+Shift+ArrowRight"])
      await page.keyboard.press(keys);
    await page.getByRole("button", { name: "draw its box" }).click();
    await draw(page, [
      [0.08, 0.45],
      [0.38, 0.75],
    ]);
    await expect.poll(() => page.locator(".layer").count()).toBe(1);
    expect(await page.locator(".layer-choose").first().textContent()).toContain("red ball");
    // The motion is recorded: the next pull at the box becomes its path.
    await page.keyboard.press("m");
    await draw(page, [
      [0.23, 0.6],
      [0.5, 0.35],
      [0.77, 0.6],
    ]);
    await expect.poll(() => page.locator(".keyframe").count()).toBeGreaterThanOrEqual(3);
    await keep(page, "03-path-drawn");
  });

  it("undoes and redoes it", async () => {
    const drawn = await page.locator(".keyframe").count();
    await page.keyboard.press("Control+z");
    await expect.poll(() => page.locator(".keyframe").count()).toBe(1);
    await page.keyboard.press("Control+Shift+z");
    await expect.poll(() => page.locator(".keyframe").count()).toBe(drawn);
  });

  it("runs, with the clip forming live, and pauses at a step", async () => {
    const steps = page.getByRole("textbox", { name: "Steps" });
    await steps.fill("8");
    await steps.press("Enter");
    await primary().click();
    await waitForState(/step [3-7] of 8/);
    await keep(page, "04-running");
    await page.keyboard.press("Control+Enter");
    await waitForState(/paused at step/);
    await keep(page, "05-paused");
    expect(await primary().textContent()).toContain("Resume");
    // The clip loops while it forms.
    const playing = page.getByRole("button", { name: "Stop the clip" });
    await playing.waitFor();
    await playing.click();
  });

  it("goes back to a step, moves the path and branches", async () => {
    await step(2).click();
    expect(await primary().textContent()).toBe("Branchfrom step 2 of Take 1");
    await page.keyboard.press("v");
    await page.getByRole("slider", { name: "Frame" }).fill("8");
    const before = await page.locator(".keyframe").count();
    await draw(page, [
      [0.5, 0.36],
      [0.5, 0.8],
    ]);
    expect(await page.locator(".keyframe").count()).toBeGreaterThanOrEqual(before);
    await keep(page, "06-rewound-and-moved");
    await primary().click();
    await expect.poll(() => lanes().count(), { timeout: MINUTES }).toBe(2);
    await waitForState(/finished, 8 steps/);
    await page.locator(".lanes-branches path").waitFor({ state: "attached" });
    await keep(page, "07-branched");
  });

  it("plays the first take on to its end", async () => {
    await page.locator(".lane-choose").first().click();
    // The desk holds the branch's shot: the take's own has to be laid first.
    await page.getByRole("button", { name: "Load settings" }).click();
    await expect.poll(() => primary().textContent()).toContain("Resume");
    await primary().click();
    await waitForState(/finished, 8 steps/);
  });

  it("compares the two, with a wipe and side by side", async () => {
    await page.getByRole("button", { name: "Compare" }).click();
    await page.waitForTimeout(600);
    await keep(page, "08-compare-wipe");
    await page.getByRole("button", { name: "Side by side" }).click();
    await page.waitForTimeout(600);
    await keep(page, "09-compare-side");
    expect(await faults(page)).toEqual([]);
    await page.getByRole("button", { name: "End comparison" }).click();
  });

  it("pins, names and deletes a take, and takes that back", async () => {
    await page.getByRole("button", { name: /^Pin: always/ }).click();
    await page.getByRole("button", { name: /^Unpin/ }).waitFor();
    await page.getByRole("button", { name: "Rename", exact: true }).click();
    await page.getByLabel("Name of the take").fill("The arc");
    await page.keyboard.press("Enter");
    await page.locator(".lane-choose", { hasText: "The arc" }).waitFor();
    await page.getByRole("button", { name: "Delete The arc" }).click();
    await expect.poll(() => lanes().count()).toBe(1);
    await page.locator(".toast", { hasText: "deleted" }).getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => lanes().count()).toBe(2);
  });

  it("gives a clip out and takes its shot back in", async () => {
    await page.locator(".lane-choose", { hasText: "The arc" }).click();
    await page.getByRole("button", { name: "Export" }).click();
    await keep(page, "10-export");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: /Clip as mp4/ }).click(),
    ]);
    const clip = join(ARTIFACTS, "take.mp4");
    await download.saveAs(clip);
    await page.getByLabel("Prompt: what the clip shows").fill("a blue boat over the sea");
    await page.locator('[data-import="file"]').setInputFiles(clip);
    await expect
      .poll(() => page.getByLabel("Prompt: what the clip shows").inputValue(), { timeout: MINUTES })
      .toBe("a red ball over the meadow");
    await page.locator(".toast", { hasText: "settings of take.mp4 are loaded" }).waitFor();
    await keep(page, "11-shot-from-clip");
  });

  it("gives the project out and takes it in again", async () => {
    await page.getByRole("button", { name: "Export" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: /Project as one file/ }).click(),
    ]);
    const file = join(ARTIFACTS, "project.zip");
    await download.saveAs(file);
    await page.locator('[data-import="project"]').setInputFiles(file);
    await page.locator(".toast", { hasText: "2 takes" }).waitFor({ timeout: MINUTES });
    await expect.poll(() => lanes().count(), { timeout: MINUTES }).toBe(2);
    await keep(page, "12-imported");
  });

  it("is the same after a reload, and on a second desk", async () => {
    const address = page.url();
    await page.reload();
    await expect.poll(() => lanes().count(), { timeout: MINUTES }).toBe(2);
    expect(page.url()).toBe(address);
    const second = await studio.open({ width: 1024, height: 768 }, "light");
    await second.goto(address);
    await second.reload();
    await expect.poll(() => second.locator(".lane").count(), { timeout: MINUTES }).toBe(2);
    await page.getByLabel("Prompt: what the clip shows").fill("a red ball over the sea");
    await expect
      .poll(() => second.getByLabel("Prompt: what the clip shows").inputValue(), { timeout: MINUTES })
      .toBe("a red ball over the sea");
    await keep(second, "13-second-desk-light");
    expect(await faults(second)).toEqual([]);
    await second.close();
  });

  it("shows a killed worker's take as interrupted and resumes it", async () => {
    await page.getByLabel("Prompt: what the clip shows").fill("a red ball over the meadow");
    await page.keyboard.press("Control+Shift+Enter");
    await waitForState(/step [2-7] of 8/);
    for (const worker of studio.workers()) process.kill(worker, "SIGKILL");
    await waitForState(/interrupted|goes on after/);
    await keep(page, "14-interrupted");
    // The server tries once by itself; after that it is a person's to say.
    const resume = page.getByRole("button", { name: /^Resume/ }).first();
    if (await resume.isVisible()) await resume.click();
    await waitForState(/finished, 8 steps/);
    await keep(page, "15-resumed");
  });

  it("shows its keys, and works by them", async () => {
    await page.keyboard.press("Escape");
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    await keep(page, "16-keys");
    await page.keyboard.press("Escape");
    const count = await page.locator(".layer").count();
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("p");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".layer").count()).toBe(count + 1);
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Delete");
    await expect.poll(() => page.locator(".layer").count()).toBe(count);
  });

  it("paints, erases, drags, outlines, pins and marks", async () => {
    const layers = () => page.locator(".layer").count();
    await page.keyboard.press("Escape");
    const before = await layers();
    await page.keyboard.press("b");
    await page.getByRole("radio", { name: "Blue", exact: true }).click();
    await draw(page, [
      [0.1, 0.85],
      [0.5, 0.75],
      [0.9, 0.85],
    ]);
    await expect.poll(layers).toBe(before + 1);
    await page.keyboard.press("e");
    await draw(page, [
      [0.5, 0.7],
      [0.5, 0.95],
    ]);
    await page.getByText("2 strokes").waitFor();
    await keep(page, "18-painted");
    await page.keyboard.press("l");
    await page.getByRole("radio", { name: "Drag it" }).click();
    await draw(page, [
      [0.35, 0.15],
      [0.65, 0.15],
      [0.65, 0.5],
      [0.35, 0.5],
      [0.35, 0.2],
    ]);
    const [from, to] = [await onFrame(page, 0.5, 0.3), await onFrame(page, 0.75, 0.2)];
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(...to, { steps: 10 });
    await page.waitForTimeout(400);
    await keep(page, "19-drag-bends-live");
    await page.mouse.up();
    await expect.poll(layers).toBe(before + 2);
    await page.keyboard.press("Escape");
    await page.keyboard.press("l");
    await page.getByRole("radio", { name: "Edit it" }).click();
    await draw(page, [
      [0.05, 0.05],
      [0.3, 0.05],
      [0.3, 0.3],
      [0.05, 0.3],
    ]);
    await page.keyboard.press("i");
    await draw(page, [[0.85, 0.6]]);
    await page.keyboard.press("t");
    await page.getByRole("radiogroup", { name: "Shape" }).getByRole("radio", { name: "Box" }).click();
    await draw(page, [
      [0.6, 0.5],
      [0.8, 0.7],
    ]);
    await expect.poll(layers).toBe(before + 5);
    await keep(page, "20-outlined-pinned-marked");
    expect(await faults(page)).toEqual([]);
    for (let i = 0; i < 6; i++) await page.keyboard.press("Control+z");
    await expect.poll(layers).toBe(before);
  });

  it("takes a picture as the first frame, and says what the model cannot do with it", async () => {
    const layers = await page.locator(".layer").count();
    await page.locator('[data-import="file"]').setInputFiles(join(ARTIFACTS, "01-first-run.png"));
    await expect.poll(() => page.locator(".layer").count(), { timeout: MINUTES }).toBe(layers + 1);
    await page.locator(".layer-choose", { hasText: "First picture" }).waitFor();
    await page.keyboard.press("Control+Shift+Enter");
    await page.locator(".toast-fault").waitFor();
    await keep(page, "21-refused-in-a-sentence");
    await page.keyboard.press("Control+z");
    await expect.poll(() => page.locator(".layer").count()).toBe(layers);
  });

  it("complained of nothing", () => {
    expect(studio.complaints).toEqual([]);
  });
});
