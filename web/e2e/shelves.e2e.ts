/** Many projects and shots, the bin, what waits in the queue, and work that cannot be saved. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faults, keep, openStudio, type Studio } from "./studio";

const MINUTES = 60_000;
let studio: Studio;
let page: Page;

const prompt = () => page.getByLabel("Prompt: what the clip shows");
const menu = (kind: "Project" | "Shot") => page.getByRole("button", { name: new RegExp(`^${kind}: `) });
const layers = () => page.locator(".layer").count();

async function command(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${studio.address}/api${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return answer.json();
}

beforeAll(async () => {
  studio = await openStudio();
  page = await studio.open();
});

afterAll(async () => {
  await studio?.close();
});

describe("many shots and projects", () => {
  it("can all be reached", async () => {
    const { projects } = await command("GET", "/projects");
    for (let i = 1; i <= 40; i++) {
      const shot = { version: 1, prompt: `a red ball, number ${i}` };
      await command("POST", `/projects/${projects[0].id}/shots`, { shot, name: `Scene ${i}` });
      if (i <= 25) await command("POST", "/projects", { name: `Play ${i}` });
    }
    await page.reload();
    await menu("Shot").click();
    const shots = page.getByRole("group", { name: "Shots" });
    await expect.poll(() => shots.getByRole("menuitemradio").count()).toBe(41);
    await keep(page, "50-many-shots");
    expect(await faults(page)).toEqual([]);
    await page.keyboard.type("scene 3");
    await expect.poll(() => shots.getByRole("menuitemradio").count()).toBe(13);
    await keep(page, "51-found-shots");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => prompt().inputValue()).toMatch(/number 3/);
    await menu("Project").click();
    await expect
      .poll(() => page.getByRole("group", { name: "Projects" }).getByRole("menuitemradio").count())
      .toBe(26);
    await page.keyboard.type("play 7");
    await keep(page, "52-found-project");
    await page.keyboard.press("Escape");
  });

  it("go into the bin and come back out of it", async () => {
    const name = (await menu("Shot").textContent()) as string;
    await menu("Shot").click();
    await page.getByRole("menuitem", { name: "Delete this shot" }).click();
    await page.getByText(`${name} deleted.`).waitFor();
    await expect.poll(() => menu("Shot").textContent()).not.toBe(name);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => menu("Shot").textContent()).toBe(name);
    await menu("Shot").click();
    await page.getByRole("menuitem", { name: "Delete this shot" }).click();
    await page.getByText(`${name} deleted.`).waitFor();
    await menu("Shot").click();
    await page.getByRole("menuitem", { name: "Restore deleted…" }).click();
    await page.getByRole("heading", { name: "Deleted shots" }).waitFor();
    await keep(page, "53-bin");
    expect(await faults(page)).toEqual([]);
    await page.getByRole("button", { name: `Restore ${name}` }).click();
    await page.getByRole("heading", { name: "Deleted shots" }).waitFor({ state: "hidden" });
    await page.keyboard.press("Escape");
    const project = (await menu("Project").textContent()) as string;
    await menu("Project").click();
    await page.getByRole("menuitem", { name: "Delete this project" }).click();
    await expect.poll(() => menu("Project").textContent(), { timeout: MINUTES }).not.toBe(project);
    await page
      .locator(".toast", { hasText: `${project} deleted` })
      .getByRole("button", { name: "Undo" })
      .click();
    await expect.poll(() => menu("Project").textContent(), { timeout: MINUTES }).toBe(project);
  });
});

describe("work that cannot be saved", () => {
  it("stays until somebody discards it knowingly", async () => {
    await page.getByText("Saved", { exact: true }).waitFor();
    await page.route("**/api/shots/*", (route) =>
      route.request().method() === "PUT"
        ? route.fulfill({ status: 507, json: { error: "The disk is full: free some room.", field: null } })
        : route.continue(),
    );
    await prompt().fill("a blue boat over the green sea");
    await page.getByText("Not saved: The disk is full").waitFor();
    await keep(page, "55-not-saved");
    const go = async () => {
      await menu("Shot").click();
      await page.keyboard.type("scene 12");
      await page.keyboard.press("Enter");
      await page.getByRole("alertdialog", { name: "This shot is not saved" }).waitFor();
    };
    await go();
    await keep(page, "56-leaving-asked");
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await prompt().inputValue()).toBe("a blue boat over the green sea");
    expect(await page.getByText("Saved", { exact: true }).count()).toBe(0);
    await go();
    await page.getByRole("button", { name: "Discard the changes" }).click();
    await expect.poll(() => prompt().inputValue()).toBe("a red ball, number 12");
    await page.unroute("**/api/shots/*");
  });
});

describe("the keyboard", () => {
  it("puts every tool's thing in the middle and moves it", async () => {
    const stage = page.locator(".stage-canvas");
    const before = await layers();
    for (const key of ["r", "p", "i", "d", "l", "t"]) {
      await stage.focus();
      await page.keyboard.press("Escape");
      await page.keyboard.press(key);
      await page.keyboard.press("Enter");
      // Two pins on one place would be refused.
      await page.keyboard.press(key === "i" ? "Shift+ArrowUp" : "Shift+ArrowDown");
    }
    await expect.poll(layers).toBe(before + 6);
    await keep(page, "57-by-keys");
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    await keep(page, "58-keys");
    await page.keyboard.press("Escape");
    await page.getByText("Saved", { exact: true }).waitFor();
    const { projects } = await command("GET", "/projects");
    const { shots } = await command("GET", `/projects/${projects[0].id}/shots`);
    const { id } = shots.find(({ name }: { name: string }) => name === "Scene 12");
    const { shot } = await command("GET", `/shots/${id}`);
    const drag = shot.instructions.find(({ form }: { form: string }) => form === "drag");
    expect(drag.moves[0].handle).toEqual([0.4, 0.5]);
    expect(drag.moves[0].target[1]).toBeCloseTo(0.578, 2);
  });

  it("slides a copy of a keyframe with Alt", async () => {
    await page.locator("button.track-head").first().click();
    await page.getByRole("slider", { name: "Frame" }).fill("8");
    await page.locator(".stage-canvas").focus();
    const count = (await page.locator(".keyframe").count()) + 1;
    await page.keyboard.press("k");
    await expect.poll(() => page.locator(".keyframe").count()).toBe(count);
    const first = page.locator(".keyframe").first();
    const box = await first.boundingBox();
    if (!box) throw new Error("no keyframe");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.keyboard.down("Alt");
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (const way of [3, 6, 10, 60, 140, 200]) await page.mouse.move(x + way, y);
    await page.mouse.up();
    await page.keyboard.up("Alt");
    await expect.poll(() => page.locator(".keyframe").count()).toBe(count + 1);
    expect((await first.boundingBox())?.x).toBeCloseTo(box.x, 0);
    await keep(page, "59-copied-keyframe");
  });

  it("works on a narrow light desk too", async () => {
    const second = await studio.open({ width: 1024, height: 768 }, "light");
    await second.getByRole("button", { name: /^Shot: / }).click();
    await keep(second, "60-menu-narrow-light");
    expect(await faults(second)).toEqual([]);
    await second.close();
  });
});

/** Who the page is to the queue. */
const client = () => page.evaluate(() => localStorage.getItem("rehearse.client") as string);

describe("the queue", () => {
  it("says of what each take is, where, and how long it takes", async () => {
    await command("POST", "/queue/pause");
    const { projects } = await command("GET", "/projects");
    const here = { version: 1, steps: 40, prompt: "" };
    for (const words of ["a red ball over the meadow", "a blue boat over the sea"]) {
      const shot = { ...here, prompt: words };
      const made = await command("POST", `/projects/${projects[0].id}/shots`, { shot, name: "Queued" });
      const [headers, body] = [
        { "Content-Type": "application/json", "X-Rehearse-Client": await client() },
        "{}",
      ];
      await fetch(`${studio.address}/api/shots/${made.id}/takes`, { method: "POST", headers, body });
    }
    const other = (await command("GET", "/projects")).projects.find(
      ({ name }: { name: string }) => name === "Play 7",
    );
    const shot = { version: 1, prompt: "a red boat over the sea", steps: 40 };
    const made = await command("POST", `/projects/${other.id}/shots`, { shot, name: "Kite" });
    await command("POST", `/shots/${made.id}/takes`, { play: true });
    await page.getByRole("button", { name: /^Queue 3/ }).click({ timeout: MINUTES });
    const list = page.getByRole("group", { name: "Queue" });
    await list.getByText("a red ball over the meadow").waitFor();
    await list.getByText("a red boat over the sea").waitFor();
    await list.getByText(/Play 7 · from another browser/).waitFor();
    await list.getByRole("button", { name: "Release queue" }).click();
    await expect.poll(() => list.textContent(), { timeout: 5 * MINUTES }).toMatch(/ left/);
    await keep(page, "54-queue");
    expect(await faults(page)).toEqual([]);
    for (const stop of await list.getByRole("button", { name: /^Cancel / }).all()) await stop.click();
    await page.keyboard.press("Escape");
  });

  it("left the page without complaints", () => {
    expect(studio.complaints).toEqual([]);
  });
});
