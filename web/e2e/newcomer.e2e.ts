/** What a newcomer does first, in that order: nothing of it is refused, and nothing is lost. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { draw, faults, keep, openStudio, type Studio } from "./studio";

const MINUTES = 60_000;

let studio: Studio;
let page: Page;
const refused: string[] = [];

const prompt = () => page.getByLabel("Prompt: what the clip shows");
const layers = () => page.locator(".layer");
const row = (place: number) => layers().nth(place);
const problems = () => page.locator(".problem");
const inPrompt = () => page.locator(".prompt-column .problem");
const saved = () =>
  expect.poll(() => page.locator(".save-state").textContent(), { timeout: 10_000 }).toBe("Saved");
const named = (place: number) => row(place).locator(".layer-choose span").textContent();

async function retype(text: string): Promise<void> {
  await prompt().click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(text);
}

async function select(words: string): Promise<void> {
  await prompt().evaluate((element, sought) => {
    const field = element as HTMLTextAreaElement;
    const at = field.value.indexOf(sought);
    field.focus();
    field.setSelectionRange(at, at + sought.length);
  }, words);
  // The page hears of a selection when a key or the pointer is let go.
  await page.keyboard.press("Shift");
}

beforeAll(async () => {
  studio = await openStudio();
  page = await studio.open();
  page.on("response", (answer) => {
    if (answer.status() >= 400) refused.push(`${answer.status()} ${answer.url()}`);
  });
  // Until the worker has looked at the models, not much can be said of a shot.
  await page.locator(".model-says").waitFor({ timeout: 4 * MINUTES });
});

afterAll(async () => {
  await studio?.close();
});

describe("a newcomer", () => {
  it("writes another prompt under the example's box, and all of it is kept", async () => {
    await retype("a green tree over the sea");
    await saved();
    await row(0).getByText("not in the prompt").waitFor();
    expect(await named(0)).toBe("red ball");
    await keep(page, "60-retyped");
    await page.reload();
    await expect.poll(() => prompt().inputValue()).toBe("a green tree over the sea");
    await expect.poll(() => layers().count()).toBe(1);
  });

  it("binds the path to what the prompt says now, with one click", async () => {
    await row(0).getByRole("button", { name: "Bind to “green tree”" }).click();
    await expect.poll(() => named(0)).toBe("green tree");
    await expect.poll(() => problems().count()).toBe(0);
    expect(await page.locator(".prompt-phrase").textContent()).toBe("green tree");
  });

  it("types over the bound words, and the path follows", async () => {
    await select("green tree");
    await page.keyboard.type("blue fish");
    expect(await prompt().inputValue()).toBe("a blue fish over the sea");
    expect(await named(0)).toBe("blue fish");
    await page.keyboard.press("Home");
    await page.keyboard.type("a red ball and ");
    expect(await named(0)).toBe("blue fish");
    await expect.poll(() => problems().count()).toBe(0);
    await page.keyboard.press("Control+z");
  });

  it("is offered words of the same meaning, and finds all words in a list", async () => {
    await retype("a red dog runs over the sea");
    await inPrompt().getByRole("button", { name: "cat", exact: true }).waitFor();
    await inPrompt().getByRole("button", { name: "moves right", exact: true }).click();
    expect(await prompt().inputValue()).toBe("a red dog moves right over the sea");
    await inPrompt().getByRole("button", { name: "cat", exact: true }).click();
    expect(await prompt().inputValue()).toBe("a red cat moves right over the sea");
    await page.getByRole("button", { name: /^Words theatre-video knows/ }).click();
    const list = page.getByRole("region", { name: "Words that theatre-video knows" });
    for (const group of ["Things", "Colours", "Motions", "Places"])
      await list.getByRole("group", { name: group }).waitFor();
    await keep(page, "61-words");
    expect(await faults(page)).toEqual([]);
    await prompt().press("End");
    await list.getByRole("button", { name: "at night" }).click();
    expect(await prompt().inputValue()).toBe("a red cat moves right over the sea at night");
    await page.keyboard.type(" and");
    expect(await prompt().inputValue()).toBe("a red cat moves right over the sea at night and");
    await page.getByRole("button", { name: "Hide the words" }).click();
  });

  it("empties the prompt and reloads, and everything is there", async () => {
    await prompt().fill("");
    await inPrompt().getByText("Say what the clip shows.").waitFor();
    await saved();
    await page.reload();
    await expect.poll(() => layers().count()).toBe(1);
    expect(await prompt().inputValue()).toBe("");
    await retype("a red cat and a blue fish in the snow");
    expect(await named(0)).toBe("blue fish");
    await expect.poll(() => problems().count()).toBe(0);
  });

  it("draws a box first and is asked what is in it", async () => {
    await page.keyboard.press("Escape");
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("r");
    await draw(page, [
      [0.62, 0.62],
      [0.92, 0.92],
    ]);
    const asked = page.getByRole("group", { name: "What is in the box?" });
    await asked.waitFor();
    await keep(page, "62-what-is-in-it");
    await asked.getByRole("button", { name: "red cat" }).click();
    await expect.poll(() => named(1)).toBe("red cat");
    await expect.poll(() => asked.count()).toBe(0);
  });

  it("sees that words can be selected while a path is selected, and binds by it", async () => {
    await row(1).locator(".layer-choose").click();
    await page.locator(".prompt-line", { hasText: "select words" }).waitFor();
    await select("snow");
    await page.getByRole("button", { name: "Bind to the selected path" }).click();
    await expect.poll(() => named(1)).toBe("snow");
    await page.locator(".prompt-binding").getByRole("button", { name: "red cat" }).click();
    await expect.poll(() => named(1)).toBe("red cat");
  });

  it("is offered the model that can do what was drawn, where it was drawn", async () => {
    const tool = page.locator(".tool[aria-label^='Drag']");
    expect(await tool.getAttribute("aria-label")).toContain("theatre-animate can");
    await tool.click();
    await draw(page, [
      [0.3, 0.3],
      [0.6, 0.3],
    ]);
    await expect.poll(() => layers().count()).toBe(3);
    const offer = page.getByRole("group", { name: "Another model" });
    await offer.getByText("theatre-video cannot follow drags.").waitFor();
    await keep(page, "63-another-model");
    await offer.getByRole("button", { name: "Use theatre-animate" }).click();
    await expect.poll(() => page.getByLabel("Model", { exact: true }).inputValue()).toBe("theatre-animate");
    await expect.poll(() => problems().count(), { timeout: 10_000 }).toBe(0);
    expect(await page.locator(".model-says").textContent()).toContain("drags");
    await row(2).hover();
    await row(2).getByRole("button", { name: "Delete Drag" }).click();
  });

  it("asks for too many frames and is told beside the field", async () => {
    await page.getByText("Size, length, scheduler, negative prompt").click();
    const frames = page.getByRole("textbox", { name: "Frames", exact: true });
    await frames.fill("40");
    await frames.press("Enter");
    await page.getByText("theatre-animate makes at most 24 frames").first().waitFor();
    await saved();
    await keep(page, "64-frames");
    await page.getByRole("button", { name: "Set to 24 frames" }).click();
    expect(await frames.inputValue()).toBe("24");
    await frames.fill("0");
    await frames.press("Enter");
    await page.getByRole("button", { name: "Set to 1", exact: true }).waitFor();
    await saved();
    await frames.fill("");
    await frames.press("Enter");
    await expect.poll(() => problems().count(), { timeout: 10_000 }).toBe(0);
  });

  it("presses Enter in the prompt: that runs, and the text stays as it was", async () => {
    await retype("a red bal in the snow");
    await page.keyboard.press("Enter");
    await page.locator(".toast-fault", { hasText: "does not know" }).waitFor();
    expect(await prompt().inputValue()).toBe("a red bal in the snow");
    expect(await page.locator(".lane").count()).toBe(0);
    await prompt().fill("a red cat and a blue fish in the snow");
    await page.getByLabel("Model", { exact: true }).selectOption("theatre-video");
    const steps = page.getByRole("textbox", { name: "Steps", exact: true });
    await steps.fill("2");
    await steps.press("Enter");
    await expect.poll(() => problems().count(), { timeout: 10_000 }).toBe(0);
    await prompt().press("Enter");
    await expect.poll(() => page.locator(".lane").count(), { timeout: MINUTES }).toBe(1);
    expect(await prompt().inputValue()).toBe("a red cat and a blue fish in the snow");
    await prompt().press("Shift+Enter");
    expect(await prompt().inputValue()).toBe("a red cat and a blue fish in the snow");
    await expect
      .poll(() => page.locator(".run-state").textContent(), { timeout: 8 * MINUTES, interval: 300 })
      .toMatch(/finished/);
    await keep(page, "65-ran");
  });

  it("zooms in or makes the window small, and everything is still within reach", async () => {
    const reached = async () => {
      const inspector = page.getByRole("complementary", { name: "Inspector" }).locator("section").first();
      await inspector.scrollIntoViewIfNeeded();
      const box = await inspector.boundingBox();
      return box !== null && box.x >= 0 && box.x + box.width <= (page.viewportSize()?.width ?? 0) + 1;
    };
    // A laptop's window at 150 %.
    await page.setViewportSize({ width: 960, height: 600 });
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth))
      .toBeLessThanOrEqual(960);
    await expect.poll(reached).toBe(true);
    await keep(page, "66-zoomed-in");
    await page.setViewportSize({ width: 600, height: 420 });
    await expect.poll(reached).toBe(true);
  });

  it("met no refusal and no complaint of the page on all this way", () => {
    expect(refused).toEqual([]);
    expect(studio.complaints).toEqual([]);
  });
});
