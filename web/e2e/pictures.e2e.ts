/** Pictures as cameras and tools write them: the page shows the pixels that a model is given. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keep, onFrame, openStudio, type Studio } from "./studio";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const python = process.env.REHEARSE_PYTHON ?? join(repository, ".venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "rehearse-pictures-"));
const KINDS = { jpeg: "image/jpeg", png: "image/png", webp: "image/webp" };
const ORIENTATIONS = [1, 2, 3, 5, 6, 8];
const QUARTERS = { red: [200, 30, 30], green: [30, 180, 30], blue: [30, 30, 200], yellow: [220, 210, 40] };

let studio: Studio;
let page: Page;

/** Files that all show the same four quarters, each stored another way, and one that is clear on its right. */
function write(): void {
  const code = [
    "import sys; from pathlib import Path; import numpy as np; from PIL import Image",
    "upright = np.zeros((96, 96, 3), np.uint8)",
    "upright[:48, :48], upright[:48, 48:] = (200, 30, 30), (30, 180, 30)",
    "upright[48:, :48], upright[48:, 48:] = (30, 30, 200), (220, 210, 40)",
    "flips = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1],",
    "  5: lambda a: a.transpose(1, 0, 2), 6: np.rot90, 8: lambda a: np.rot90(a, -1)}",
    "for kind in ('jpeg', 'png', 'webp'):",
    "  for turn, stored in flips.items():",
    "    exif = Image.Exif(); exif[0x0112] = turn",
    "    how = {'lossless': True} if kind == 'webp' else {'quality': 95} if kind == 'jpeg' else {}",
    "    image = Image.fromarray(np.ascontiguousarray(stored(upright)))",
    "    image.save(Path(sys.argv[1]) / f'{kind}-{turn}', kind, exif=exif, **how)",
    "clear = np.dstack([upright, np.full((96, 96), 255, np.uint8)]); clear[:, 48:, 3] = 0",
    "Image.fromarray(clear).save(Path(sys.argv[1]) / 'clear', 'png')",
  ].join("\n");
  execFileSync(python, ["-c", code, folder], { cwd: repository });
}

/** Lets a file go over the stage, as a file manager would. */
async function drop(name: string, type: string): Promise<void> {
  const base64 = readFileSync(join(folder, name)).toString("base64");
  const data = await page.evaluateHandle(
    ([content, file, kind]) => {
      const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
      const carried = new DataTransfer();
      carried.items.add(new File([bytes], file, { type: kind }));
      return carried;
    },
    [base64, `${name}.${type.slice(6)}`, type] as const,
  );
  await page.dispatchEvent(".stage-canvas", "drop", { dataTransfer: data });
}

/** The colour of the stage at a place of the frame, as the screen shows it. */
async function pixel(x: number, y: number): Promise<number[]> {
  const [left, top] = await onFrame(page, x, y);
  const shot = await page.screenshot({ clip: { x: left - 2, y: top - 2, width: 4, height: 4 } });
  return page.evaluate(async (content) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const paint = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
    paint.drawImage(image, 0, 0);
    return [...paint.getImageData(2, 2, 1, 1).data.slice(0, 3)];
  }, shot.toString("base64"));
}

async function quarters(): Promise<string[]> {
  const found: string[] = [];
  for (const [x, y] of [
    [0.25, 0.25],
    [0.75, 0.25],
    [0.25, 0.75],
    [0.75, 0.75],
  ] as const) {
    const seen = await pixel(x, y);
    const near = Object.entries({ ...QUARTERS, white: [255, 255, 255] }).find(([, colour]) =>
      colour.every((level, band) => Math.abs(level - (seen[band] as number)) < 30),
    );
    found.push(near ? near[0] : seen.join(","));
  }
  return found;
}

beforeAll(async () => {
  write();
  studio = await openStudio();
  page = await studio.open();
});

afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("a picture that is dropped", () => {
  for (const [kind, type] of Object.entries(KINDS))
    for (const turn of ORIENTATIONS)
      it(`stands upright: ${kind}, stored with orientation ${turn}`, async () => {
        const loaded = page.waitForResponse((answer) => /\/api\/images\/[0-9a-f]{64}/.test(answer.url()));
        await drop(`${kind}-${turn}`, type);
        await loaded;
        await expect.poll(quarters, { timeout: 30_000 }).toEqual(["red", "green", "blue", "yellow"]);
        if (turn === 6) await keep(page, `60-upright-${kind}`);
        await page.keyboard.press("Control+z");
        await expect.poll(quarters, { timeout: 30_000 }).not.toEqual(["red", "green", "blue", "yellow"]);
      });

  it("shows on white what is clear in it", async () => {
    await drop("clear", "image/png");
    await expect.poll(quarters, { timeout: 30_000 }).toEqual(["red", "white", "blue", "white"]);
    await keep(page, "61-clear-parts-on-white");
    expect(studio.complaints).toEqual([]);
  });
});
