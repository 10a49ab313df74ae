/** Takes as somebody meets them who opens the desk for the first time: nothing is refused, nothing is lost. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { choose, draw, faults, keep, openStudio, type Studio, toyModels } from "./studio";

const MINUTES = 60_000;
/** Enough that a take is still at it while somebody does something. */
const STEPS = 60;
const toys = toyModels();
let studio: Studio;
let page: Page;

const prompt = () => page.getByLabel("Prompt: what the clip shows");
const button = (words: string | RegExp) => page.locator(".run-button", { hasText: words });
const state = () => page.locator(".run-state");
const lane = (name: string) => page.locator(".lane-choose", { hasText: name });
const viewed = () => page.locator('.lane[data-viewed="true"] .lane-choose span').allTextContents();
const said = (words: RegExp, of = state()) =>
  expect.poll(() => of.textContent(), { timeout: 8 * MINUTES, interval: 100 }).toMatch(words);
const frameOf = (to: Page) => to.locator(".stage-canvas").boundingBox();

/** What the page shows one frame after a click, however long the server takes to answer. */
async function shownAtOnce(click: string): Promise<string> {
  return page.evaluate(async (selector) => {
    document.querySelector<HTMLElement>(selector)?.click();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return document.querySelector(".run-controls")?.textContent ?? "";
  }, click);
}

/** Holds back the answers to a command until the page was looked at. */
async function held(command: string, look: () => Promise<void>): Promise<void> {
  let release = () => {};
  const free = new Promise<void>((done) => {
    release = done;
  });
  let answered: Promise<void> = Promise.resolve();
  const address = new RegExp(`/api/.*/${command}$`);
  await page.route(address, (route) => {
    answered = free.then(() => route.continue());
    return answered;
  });
  await look();
  release();
  await answered;
  await page.unroute(address);
}

/** Puts a picture into the desk, as its import menu does. */
async function bringPicture(name: string): Promise<void> {
  const bytes = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(96, 96);
    const paint = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
    paint.fillStyle = "#2980b9";
    paint.fillRect(0, 0, 96, 96);
    const blob = await canvas.convertToBlob();
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  const buffer = Buffer.from(bytes);
  await page.locator('[data-import="file"]').setInputFiles({ name, mimeType: "image/png", buffer });
}

beforeAll(async () => {
  studio = await openStudio({ words: ["--model", toys.video, "--model", toys.animate] });
  page = await studio.open({ width: 1024, height: 768 });
});

afterAll(async () => {
  await studio?.close();
  toys.remove();
});

describe("the first minute", () => {
  it("gives the stage the room, and says what each button would do", async () => {
    const [stage, dock] = await Promise.all([frameOf(page), page.locator(".dock").boundingBox()]);
    expect(stage?.height).toBeGreaterThan(400);
    expect(dock?.height).toBeLessThan(180);
    expect(await button("New take").textContent()).toContain("from step 0");
    expect(await button("Branch").textContent()).toContain("choose a take first");
    expect(await button("Branch").getAttribute("aria-disabled")).toBe("true");
    await page.getByText("The stage is set.").waitFor();
    await keep(page, "70-first-minute");
    expect(await faults(page)).toEqual([]);
  });

  it("acknowledges a new take before the server has answered", async () => {
    await choose(page, toys.video, STEPS);
    await page.getByText("Saved", { exact: true }).waitFor();
    await held("takes", async () => {
      expect(await shownAtOnce(".run-button")).toContain("Queueing…");
    });
    await said(/Take 1 step \d+ of 60/);
  });

  it("keeps the stage on what runs while more is queued, and tells true places", async () => {
    await button("New take").click();
    await page.locator(".toast", { hasText: "Take 2 (seed 7) is in the queue, next in line" }).waitFor();
    await button("New take").click();
    await page.locator(".toast", { hasText: "Take 3 (seed 7) is in the queue, 2nd in line" }).waitFor();
    expect(await viewed()).toEqual(["Take 1"]);
    await page.getByRole("button", { name: /^Queue 3/ }).click();
    const rows = page.getByRole("group", { name: "Queue" }).getByRole("listitem");
    await expect.poll(() => rows.nth(0).textContent()).toMatch(/Take 1.*running, step \d+ of 60.*seed 7/);
    expect(await rows.nth(1).textContent()).toMatch(/Take 2.*next in line.*seed 7/);
    expect(await rows.nth(2).textContent()).toMatch(/Take 3.*2nd in line.*seed 7/);
    await keep(page, "71-queue");
    await page.getByRole("button", { name: "Run Take 3 earlier" }).click();
    await expect.poll(() => rows.nth(1).textContent()).toMatch(/Take 3.*next in line/);
    await page.keyboard.press("Escape");
  });

  it("says of a take that has not started that it waits, over a bare stage", async () => {
    await lane("Take 2").click();
    await said(/Take 2 waiting, 2nd in line/);
    await page.locator(".stage-note", { hasText: "Take 2: waiting, 2nd in line" }).waitFor();
    expect(await button("Branch").textContent()).toContain("Take 2 has no steps yet");
    await keep(page, "72-waiting");
    await page.getByRole("button", { name: "Show Take 1, now running" }).click();
    expect(await viewed()).toEqual(["Take 1"]);
  });

  it("acknowledges pause and cancel at once", async () => {
    await held("pause", async () => {
      expect(await shownAtOnce('.run-button[title^="Pauses"]')).toContain("Pausing…");
    });
    await said(/Take 1 paused at step \d+ of 60/);
    await lane("Take 3").click();
    await said(/Take 3 step \d+ of 60/);
    await held("stop", async () => {
      expect(await shownAtOnce('[aria-label^="Cancel Take 3"]')).toContain("Cancelling…");
    });
    await said(/Take 3 cancelled at step \d+ of 60/);
    await lane("Take 2").click();
    await said(/Take 2 step \d+ of 60/);
    await page.getByRole("button", { name: /^Cancel Take 2/ }).click();
    await said(/Take 2 cancelled at step/);
    await lane("Take 1").click();
    await held("play", async () => {
      expect(await shownAtOnce('.run-button[title^="Take 1 goes on"]')).toContain("Resuming…");
    });
    await said(/Take 1 finished, 60 steps/);
  });
});

describe("a deleted take", () => {
  it("comes back by Ctrl+Z, in its turn among the edits, and goes again by redo", async () => {
    const before = await prompt().inputValue();
    await prompt().fill("a red ball over the sea");
    await lane("Take 2").click();
    await page.getByRole("button", { name: "Delete Take 2" }).click();
    await page.locator(".toast", { hasText: "Take 2 deleted." }).waitFor();
    await expect.poll(() => lane("Take 2").count()).toBe(0);
    await prompt().fill("a red ball over the forest");
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("Control+z");
    expect(await prompt().inputValue()).toBe("a red ball over the sea");
    expect(await lane("Take 2").count()).toBe(0);
    await page.keyboard.press("Control+z");
    await expect.poll(() => lane("Take 2").count()).toBe(1);
    await expect.poll(viewed).toEqual(["Take 2"]);
    expect(await prompt().inputValue()).toBe("a red ball over the sea");
    await page.keyboard.press("Control+z");
    expect(await prompt().inputValue()).toBe(before);
    await page.keyboard.press("Control+Shift+z");
    await page.keyboard.press("Control+Shift+z");
    await expect.poll(() => lane("Take 2").count()).toBe(0);
    await page.keyboard.press("Control+z");
    await expect.poll(() => lane("Take 2").count()).toBe(1);
    await page.keyboard.press("Control+z");
  });

  it("comes back by its toast too", async () => {
    await lane("Take 3").click();
    await page.getByRole("button", { name: "Delete Take 3" }).click();
    const toast = page.locator(".toast", { hasText: "Take 3 deleted." });
    await toast.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => lane("Take 3").count()).toBe(1);
  });
});

describe("another shot", () => {
  it("has a stage of its own, bare until something is on it", async () => {
    await lane("Take 1").click();
    await page.getByRole("option", { name: /^Step 20(,|$)/ }).click();
    await page.locator(".layer-choose").first().click();
    await page.getByRole("slider", { name: "Frame" }).fill("3");
    await page.getByRole("button", { name: /^Shot: / }).click();
    await page.getByRole("menuitem", { name: "New shot…" }).click();
    await page.keyboard.type("Second");
    await page.keyboard.press("Enter");
    await page.getByText("The stage is set.").waitFor();
    expect(await page.locator(".lane").count()).toBe(0);
    expect(await button("Branch").textContent()).toContain("choose a take first");
    expect(await page.getByRole("slider", { name: "Frame" }).inputValue()).toBe("0");
    await keep(page, "73-second-shot");
  });

  it("takes a picture, shows it, and says which model can follow it", async () => {
    await bringPicture("blue.png");
    await page.locator(".layer-choose", { hasText: "First picture" }).waitFor();
    await expect.poll(() => page.getByText("The stage is set.").count()).toBe(0);
    expect(await page.locator(".lane").count()).toBe(0);
    await expect.poll(() => button("New take").getAttribute("aria-disabled")).toBe("true");
    expect(await state().textContent()).toContain("cannot start from a picture");
    await keep(page, "74-picture-in-second-shot");
    await choose(page, toys.animate, 4);
    await expect.poll(() => button("New take").getAttribute("aria-disabled")).toBe("false");
    await button("New take").click();
    await said(/Take 4 finished, 4 steps/);
  });

  it("is as it was left when one comes back to it", async () => {
    const go = async (name: RegExp) => {
      await page.getByRole("button", { name: /^Shot: / }).click();
      await page.getByRole("group", { name: "Shots" }).getByRole("menuitemradio", { name }).click();
    };
    await go(/^a red ball/);
    await expect.poll(viewed).toEqual(["Take 1"]);
    await expect
      .poll(() => page.getByRole("option", { name: /^Step 20(,|$)/ }).getAttribute("aria-selected"))
      .toBe("true");
    await expect.poll(() => page.locator('.layer[data-selected="true"]').count()).toBe(1);
    await expect.poll(() => page.getByRole("slider", { name: "Frame" }).inputValue()).toBe("3");
    await expect.poll(() => button("Branch").textContent()).toContain("from step 20 of Take 1");
    await go(/^Second/);
    await expect.poll(viewed).toEqual(["Take 4"]);
    await page.getByLabel("Show all shots").check();
    await lane("Take 1").click();
    await expect.poll(() => page.getByRole("button", { name: /^Shot: / }).textContent()).toMatch(/red ball/);
    expect(await viewed()).toEqual(["Take 1"]);
    await page.getByLabel("Show all shots").uncheck();
  });
});

describe("a branch", () => {
  it("starts at the step on the stage and says so", async () => {
    await page.getByRole("option", { name: /^Step 20(,|$)/ }).click();
    await page.keyboard.press("v");
    await draw(page, [
      [0.2, 0.55],
      [0.3, 0.65],
    ]);
    await button("Branch").click();
    await said(/Take 5 (step|finished)/);
    await page.locator(".lanes-branches path").waitFor({ state: "attached" });
    await said(/Take 5 finished, 60 steps/);
    await page.getByRole("button", { name: "Compare" }).click();
    await keep(page, "75-branch-compared");
    // The window is 1024 wide: nothing of the takes' line lies over the inspector.
    const inspector = await page.getByRole("complementary", { name: "Inspector" }).boundingBox();
    for (const one of await page.locator(".takes > .panel-head button").all()) {
      const box = await one.boundingBox();
      expect(box && box.x + box.width).toBeLessThanOrEqual(inspector?.x ?? 0);
    }
    expect(await faults(page)).toEqual([]);
    await page.getByRole("button", { name: "End comparison" }).click();
  });

  it("loads the settings of another take, and undo brings back one's own", async () => {
    await lane("Take 1").click();
    await page.getByRole("button", { name: "Load settings" }).click();
    await page.locator(".toast", { hasText: "The settings of Take 1 are loaded." }).waitFor();
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("Control+z");
    await page.getByRole("button", { name: "Load settings" }).waitFor();
  });
});

describe("whatever else one tries first", () => {
  const menu = async (which: RegExp, item: string) => {
    await page.getByRole("button", { name: which }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };

  it("goes through shots and projects", async () => {
    await menu(/^Shot: /, "Duplicate this shot");
    await expect.poll(() => page.getByRole("button", { name: /^Shot: / }).textContent()).toMatch(/copy$/);
    await page.getByText("The stage is set.").waitFor();
    await menu(/^Shot: /, "Rename…");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("Third");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("button", { name: /^Shot: / }).textContent()).toBe("Third");
    await menu(/^Shot: /, "Delete this shot");
    const gone = page.locator(".toast", { hasText: "Third deleted." });
    await gone.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => page.getByRole("button", { name: /^Shot: / }).textContent()).toBe("Third");
    await menu(/^Project: /, "New project…");
    await page.keyboard.type("Another");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("button", { name: /^Project: / }).textContent()).toBe("Another");
    await page.getByText("The stage is set.").waitFor();
    await menu(/^Project: /, "Delete this project");
    await expect.poll(() => page.getByRole("button", { name: /^Project: / }).textContent()).toMatch(/^First/);
  });

  it("holds the queue, runs one step, pauses twice, cancels what is over", async () => {
    await choose(page, toys.video, STEPS);
    await page.getByText("Saved", { exact: true }).waitFor();
    await button("New take").click();
    await said(/step \d+ of 60/);
    const name = (await viewed())[0] as string;
    await page.getByRole("button", { name: /^Queue/ }).click();
    await page.getByRole("button", { name: "Hold queue" }).click();
    await page.keyboard.press("Escape");
    await button("New take").click();
    await page.keyboard.press("Control+Enter");
    await page.keyboard.press("Control+Enter");
    await said(/paused at step/);
    await page.locator(".lane-choose").last().click();
    await said(/waiting: the queue is on hold/);
    await page.getByRole("button", { name: /^Queue 1, on hold/ }).click();
    await page.getByRole("button", { name: "Release queue" }).click();
    await page.keyboard.press("Escape");
    await said(/finished, 60 steps/);
    await page.locator(".stage-canvas").focus();
    for (const key of ["Control+.", "Alt+ArrowLeft", "Alt+ArrowRight", "c", "c", "Escape", "Delete"])
      await page.keyboard.press(key);
    await lane(name).click();
    const paused = Number(/step (\d+)/.exec((await state().textContent()) as string)?.[1]);
    await page.getByRole("button", { name: "Run one step, then pause" }).click();
    await said(new RegExp(`paused at step ${paused + 1} of 60`));
    await page.getByRole("button", { name: /^Pin: always/ }).click();
    await page.getByRole("button", { name: /^Unpin/ }).waitFor();
    await page.locator(".stage-canvas").focus();
    await page.keyboard.press("Control+z");
    await page.getByRole("button", { name: /^Pin: always/ }).waitFor();
    await page.reload();
    await said(new RegExp(`${name} paused at step ${paused + 1} of 60`));
  });
});

it("refuses nothing in all this, and complains of nothing", () => {
  expect(studio.refusals).toEqual([]);
  expect(studio.complaints).toEqual([]);
});

describe("what fails", () => {
  it("says its sentence, what to do about it, and is tried again by a button", async () => {
    await page.route(/\/takes$/, async (route) => {
      if (route.request().method() !== "GET") return route.continue();
      const answer = await route.fetch();
      const list = await answer.json();
      const take = list.takes.find(({ status }: { status: string }) => status === "paused");
      Object.assign(take, { status: "failed", error: "the memory does not suffice; ask for fewer frames" });
      return route.fulfill({ response: answer, json: list });
    });
    await page.reload();
    const trouble = page.locator(".stage-trouble");
    await trouble.getByText("The memory does not suffice; ask for fewer frames.").waitFor();
    await said(/failed after step/);
    await keep(page, "76-failed");
    expect(await faults(page)).toEqual([]);
    await page.unroute(/\/takes$/);
    await trouble.getByRole("button", { name: "Retry" }).click();
    await said(/step \d+ of 60|finished/);
    await said(/finished, 60 steps/);
  });

  it("is one part of the page, never the draft", async () => {
    await prompt().fill("a red ball over the sea");
    await page.route("**/api/queue", (route) =>
      route.fulfill({ json: { paused: false, length: 1, entries: [{ take: 1, seed: null, prompt: null }] } }),
    );
    await page.getByRole("button", { name: /^Queue/ }).click({ timeout: MINUTES });
    await page.getByText("The list of takes stopped working.").waitFor();
    await keep(page, "77-part-failed");
    expect(await prompt().inputValue()).toBe("a red ball over the sea");
    await page.unroute("**/api/queue");
    await page.getByText("Saved", { exact: true }).waitFor();
    await page.waitForTimeout(4000);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".lane").first().waitFor();
    await page.reload();
    await expect.poll(() => prompt().inputValue(), { timeout: MINUTES }).toBe("a red ball over the sea");
  });
});
