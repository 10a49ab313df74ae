/** The page when things break under it: the server killed, the disk full, a stranger without the token. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { choose, keep, openStudio, type Studio, toyModels } from "./studio";

const MINUTES = 60_000;
/** More than the lanes have room for, so that they scroll. */
const STEPS = 44;
const toys = toyModels();
afterAll(() => toys.remove());

const state = (page: Page) => page.locator(".run-state");
const prompt = (page: Page) => page.getByLabel("Prompt: what the clip shows");

async function waitForState(page: Page, words: RegExp): Promise<void> {
  await expect.poll(() => state(page).textContent(), { timeout: 8 * MINUTES, interval: 200 }).toMatch(words);
}

interface Told {
  status: string;
  look: { digest: string } | null;
  steps: number;
}

/** The takes as the server has them. */
async function takesOf(studio: Studio): Promise<(Told & { id: string })[]> {
  const { projects } = await (await fetch(`${studio.address}/api/projects`)).json();
  const answer = await fetch(`${studio.address}/api/projects/${projects[0].id}/takes`);
  return (await answer.json()).takes;
}

describe("a server that is killed and started again", () => {
  let studio: Studio;
  let page: Page;
  beforeAll(async () => {
    studio = await openStudio({ words: ["--model", toys.video] });
    page = await studio.open();
    await choose(page, toys.video, STEPS);
  });
  afterAll(() => studio?.close());

  it("is said, and what is written meanwhile is kept", async () => {
    await page.locator(".run-button.button-primary").click();
    await waitForState(page, /step ([3-9]|\d\d) of 44/);
    await studio.kill();
    await page.getByText("Connection to the studio lost").waitFor({ timeout: MINUTES });
    await prompt(page).fill("a red ball over the sea");
    await page.waitForTimeout(1500);
    await keep(page, "30-server-gone");
  });

  it("brings the page on where it was: nothing lost, nothing doubled", async () => {
    await studio.restart();
    await page.getByText("Connection to the studio lost").waitFor({ state: "hidden", timeout: MINUTES });
    await expect.poll(() => page.locator(".save-state").textContent(), { timeout: MINUTES }).toBe("Saved");
    await waitForState(page, /finished, 44 steps/);
    const [take, ...others] = await takesOf(studio);
    expect([take?.status, others.length]).toEqual(["finished", 0]);
    const labels = await page.getByRole("option", { name: /^Step \d+/ }).allInnerTexts();
    expect(labels.map(Number)).toEqual([...Array(STEPS + 1).keys()]);
    // However many steps there are, the dock keeps to its place beside the inspector.
    const [dock, inspector] = await Promise.all(
      [".dock", ".inspector"].map((part) => page.locator(part).boundingBox()),
    );
    const widest = await page.locator(".takes").evaluate((takes) => takes.getBoundingClientRect().right);
    expect(widest).toBeLessThanOrEqual(inspector?.x ?? 0);
    expect((dock?.x ?? 0) + (dock?.width ?? 0)).toBeLessThanOrEqual(inspector?.x ?? 0);
    await keep(page, "31-server-back");
    const { projects } = await (await fetch(`${studio.address}/api/projects`)).json();
    const { shots } = await (await fetch(`${studio.address}/api/projects/${projects[0].id}/shots`)).json();
    expect(shots.map((shot: { prompt: string }) => shot.prompt)).toEqual(["a red ball over the sea"]);
  });

  it("left a take that is the same as one nobody disturbed", async () => {
    await prompt(page).fill("a red ball over the meadow");
    await page.getByText("Saved", { exact: true }).waitFor();
    await page.keyboard.press("Control+Shift+Enter");
    await expect.poll(async () => (await takesOf(studio)).length, { timeout: MINUTES }).toBe(2);
    await expect
      .poll(async () => (await takesOf(studio))[1]?.status, { timeout: 8 * MINUTES, interval: 500 })
      .toBe("finished");
    const [disturbed, straight] = await takesOf(studio);
    expect(disturbed?.look?.digest).toBe(straight?.look?.digest);
    expect(studio.complaints).toEqual([]);
  });
});

describe("a disk that is full", () => {
  const disk = mkdtempSync(join(tmpdir(), "rehearse-disk-"));
  let mounted = false;
  let studio: Studio;
  afterAll(async () => {
    await studio?.close();
    if (mounted) execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it("is said in words, and the take goes on when there is room again", async ({ skip }) => {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], { stdio: "ignore" });
      mounted = true;
    } catch {
      skip("no small disk can be mounted here");
    }
    studio = await openStudio({ words: ["--model", toys.video], projects: join(disk, "projects") });
    const page = await studio.open();
    await choose(page, toys.video, 24);
    await page.locator(".run-button.button-primary").click();
    await waitForState(page, /step ([3-9]|\d\d) of 24/);
    const filler = join(disk, "filler");
    try {
      for (let part = 0; ; part++) writeFileSync(`${filler}${part}`, Buffer.alloc(1 << 18));
    } catch {
      // Full, as it should be.
    }
    await page.locator(".stage-trouble", { hasText: "The disk is full: nothing is lost" }).waitFor({
      timeout: 8 * MINUTES,
    });
    await keep(page, "32-disk-full");
    // The way out that the page names works on the disk as it is.
    await page.getByRole("button", { name: "Free disk space" }).click();
    await page.getByRole("button", { name: /^Free \d/ }).click();
    await page.getByText(/ freed\.$/).waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    const [paused] = await takesOf(studio);
    expect(paused?.status).toBe("paused");
    execFileSync("sh", ["-c", `rm -f ${filler}*`]);
    await page.getByRole("button", { name: /^Resume/ }).click();
    await waitForState(page, /finished, 24 steps/);
    expect(await page.getByRole("option", { name: /^Step \d+/ }).count()).toBe(25);
    await keep(page, "33-disk-has-room");
    expect(studio.complaints).toEqual([]);
  });
});

describe("a studio for other machines", () => {
  let studio: Studio;
  afterAll(() => studio?.close());

  it("opens with its token, and to nobody else", async () => {
    studio = await openStudio({ words: ["--host", "0.0.0.0", "--token", "new", "--model", toys.video] });
    const page = await studio.open();
    expect(page.url()).not.toContain("token");
    await choose(page, toys.video, 4);
    await page.locator(".run-button.button-primary").click();
    await waitForState(page, /finished, 4 steps/);
    await page.reload();
    await waitForState(page, /finished, 4 steps/);
    const stranger = await (await studio.browser.newContext()).newPage();
    const answer = await stranger.goto(studio.address);
    expect(answer?.status()).toBe(401);
    expect(await stranger.textContent("body")).toContain("needs its token");
    const command = await fetch(`${studio.address}/api/projects`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: "Bearer guessed" },
      body: JSON.stringify({ name: "Theirs" }),
    });
    expect(command.status).toBe(401);
    expect(studio.complaints).toEqual([]);
  });
});
