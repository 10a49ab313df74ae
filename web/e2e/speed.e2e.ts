/** How many frames a second the desk draws with 20 paths of 50 keyframes; measured and kept, never a verdict. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ARTIFACTS, keep, onFrame, openStudio, type Studio } from "./studio";

const PATHS = 20;
const KEYFRAMES = 50;

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(async () => {
  await studio?.close();
});

const shot = {
  version: 1,
  prompt: "a red ball over the meadow",
  model: "theatre-video",
  instructions: Array.from({ length: PATHS }, (_, path) => ({
    kind: "trajectory",
    form: "box",
    path: {
      keyframes: Array.from({ length: KEYFRAMES }, (_, i) => {
        const time = i / (KEYFRAMES - 1);
        const [x, y] = [0.05 + 0.7 * time, 0.02 + path * 0.04 + 0.05 * Math.sin(time * 9 + path)];
        const top = Math.max(0, Math.min(0.85, y));
        return { time: Math.round(time * 1e4) / 1e4, box: [x, top, x + 0.15, top + 0.15] };
      }),
    },
  })),
};

it("moves a path among twenty", async () => {
  const page = await studio.open();
  const { project, id } = await page.evaluate(async (document) => {
    const { projects } = await (await fetch("/api/projects")).json();
    const answer = await fetch(`/api/projects/${projects[0].id}/shots`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ shot: document, name: "twenty paths" }),
    });
    return answer.json();
  }, shot);
  await page.goto(`${studio.address}/#/projects/${project}/shots/${id}`);
  await page.reload();
  await expect.poll(() => page.locator(".layer").count(), { timeout: 60_000 }).toBe(PATHS);
  await page.locator(".layer-choose").first().click();
  await page.evaluate(() => {
    const kept = window as unknown as { frames: number[] };
    kept.frames = [];
    const tick = (now: number) => {
      kept.frames.push(now);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const [x, y] = await onFrame(page, 0.12, 0.1);
  await page.mouse.move(x, y);
  await page.evaluate(() => {
    // Only the slide is measured.
    (window as unknown as { frames: number[] }).frames = [];
  });
  await page.mouse.down();
  for (let i = 0; i < 120; i++) await page.mouse.move(x + i, y + 40 * Math.sin(i / 9));
  await page.mouse.up();
  const gaps = await page.evaluate(() => {
    const { frames } = window as unknown as { frames: number[] };
    return frames.slice(1).map((now, i) => now - (frames[i] as number));
  });
  await keep(page, "17-twenty-paths");
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.floor(share * (sorted.length - 1))] as number) * 10) / 10;
  const measured = {
    paths: PATHS,
    keyframes: KEYFRAMES,
    frames: gaps.length,
    seconds: Math.round(total) / 1000,
    frames_per_second: Math.round((gaps.length / total) * 1e4) / 10,
    median_ms: at(0.5),
    p95_ms: at(0.95),
  };
  writeFileSync(join(ARTIFACTS, "speed.json"), `${JSON.stringify(measured, null, 2)}\n`);
  console.log(measured);
  // How fast it is depends on the machine; that it was measured does not.
  expect(gaps.length).toBeGreaterThan(0);
  for (const number of Object.values(measured)) expect(Number.isFinite(number)).toBe(true);
});
