/** A real server on a free port with projects of its own, and a real Chromium looking at it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const web = fileURLToPath(new URL("..", import.meta.url));
const repository = join(web, "..");
const python = process.env.REHEARSE_PYTHON ?? join(repository, ".venv/bin/python");

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Where screenshots are kept. */
export const ARTIFACTS = join(web, "e2e/artifacts");

export interface Asked {
  /** Words for the command line. */
  words?: string[];
  /** Where projects are kept, and left when the studio is closed; else a folder that goes with it. */
  projects?: string;
  /** A name that the browser shall find at this machine. */
  resolve?: string;
}

export interface Studio {
  /** Where it answers, without what stands behind the path. */
  address: string;
  /** What it printed, with the token. */
  printed: string;
  browser: Browser;
  open(size?: { width: number; height: number }, theme?: "light" | "dark"): Promise<Page>;
  /** What the pages complained of. */
  complaints: string[];
  /** Every answer of the server with a status from 400 on. */
  refusals: string[];
  /** Ids of the server's worker processes that hold a model. */
  workers(): number[];
  /** SIGKILL to the server. */
  kill(): Promise<void>;
  /** Starts it again, where it was. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

function childrenOf(id: number): number[] {
  try {
    const listed = execFileSync("ps", ["-o", "pid=", "--ppid", String(id)], { encoding: "utf8" });
    return listed.split("\n").map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

async function started(process: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((done, fail) => {
    const read = (chunk: Buffer) => {
      said += chunk.toString();
      const found = /https?:\/\/\S+/.exec(said);
      if (found) done(found[0]);
    };
    process.stdout?.on("data", read);
    process.stderr?.on("data", read);
    process.on("exit", (code) => fail(new Error(`the server ended with ${code}: ${said}`)));
  });
}

export async function openStudio({ words = [], projects: kept, resolve }: Asked = {}): Promise<Studio> {
  mkdirSync(ARTIFACTS, { recursive: true });
  const projects = kept ?? mkdtempSync(join(tmpdir(), "rehearse-e2e-"));
  const start = (port: string) =>
    spawn(
      python,
      ["-m", "rehearse", "studio", "--projects", projects, "--port", port, "--no-browser", ...words],
      { cwd: repository, env: { ...process.env, OMP_NUM_THREADS: "1", PYTHONUNBUFFERED: "1" } },
    );
  let server = start("0");
  const printed = await started(server);
  const address = new URL(printed).origin;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
      ...(resolve ? [`--host-resolver-rules=MAP ${resolve} 127.0.0.1`] : []),
    ],
  });
  const complaints: string[] = [];
  const refusals: string[] = [];
  return {
    address,
    printed,
    browser,
    complaints,
    refusals,
    async open(viewport = { width: 1440, height: 900 }, theme = "dark") {
      const page = await browser.newPage({ viewport, colorScheme: theme, acceptDownloads: true });
      page.on("response", (answer) => {
        if (answer.status() >= 400)
          refusals.push(`${answer.status()} ${answer.request().method()} ${new URL(answer.url()).pathname}`);
      });
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        // A refusal is an answer; the browser notes it as a failed load.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
          complaints.push(message.text());
      });
      await page.goto(printed);
      await page.getByRole("button", { name: /^New take/ }).waitFor();
      return page;
    },
    workers: () =>
      childrenOf(server.pid as number).filter((id) =>
        readFileSync(`/proc/${id}/cmdline`, "utf8").includes("rehearse.studio.worker"),
      ),
    async kill() {
      server.removeAllListeners("exit");
      const ended = new Promise((done) => server.once("exit", done));
      server.kill("SIGKILL");
      await ended;
    },
    async restart() {
      server = start(new URL(printed).port);
      await started(server);
    },
    async close() {
      await browser.close();
      server.removeAllListeners("exit");
      const ended = new Promise((done) => server.once("exit", done));
      server.kill("SIGINT");
      await Promise.race([ended, new Promise((done) => setTimeout(done, 15_000))]);
      server.kill("SIGKILL");
      if (!kept) rmSync(projects, { recursive: true, force: true });
    },
  };
}

/** A model folder of toy size, with random weights: `toy-animate` starts from a picture, `toy-video` from noise. */
export function toyModels(): { animate: string; video: string; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), "rehearse-toys-"));
  const code = [
    "import sys; from pathlib import Path; sys.path.insert(0, 'tests')",
    "from toy_models import save_toy_model, save_toy_motion_model",
    "root = Path(sys.argv[1])",
    "said = {'defaults': {'frames': 1, 'steps': 4, 'guidance': 3.0, 'width': 64, 'height': 64}}",
    "base = save_toy_model(root / 'toy-image', kind='image', settings=said)",
    "save_toy_motion_model(root / 'toy-animate', base)",
    "save_toy_model(root / 'toy-video')",
  ].join("\n");
  execFileSync(python, ["-c", code, root], {
    cwd: repository,
    stdio: "ignore",
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  return {
    animate: join(root, "toy-animate"),
    video: join(root, "toy-video"),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Keeps a picture of the page. */
export async function keep(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`) });
}

/** A place on the frame in page pixels; the frame is found from the stage's size as the page lays it. */
export async function onFrame(page: Page, x: number, y: number): Promise<[number, number]> {
  const box = await page.locator(".stage-canvas").boundingBox();
  if (!box) throw new Error("no stage");
  const side = Math.min(box.width, box.height) - 52;
  return [box.x + (box.width - side) / 2 + x * side, box.y + (box.height - side) / 2 + y * side];
}

/** Draws with the mouse through places of the frame. */
export async function draw(
  page: Page,
  places: readonly (readonly [number, number])[],
  pieces = 8,
): Promise<void> {
  const [first, ...rest] = await Promise.all(places.map(([x, y]) => onFrame(page, x, y)));
  if (!first) return;
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const place of rest) await page.mouse.move(...place, { steps: pieces });
  await page.mouse.up();
}

/** Serious findings of axe, as one line each. */
export async function faults(of: Page): Promise<string[]> {
  await of.evaluate(axeSource);
  const found = await of.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[] }[];
}

/** Chooses a model for the shot on the desk, when the studio has looked at it, and how many steps it takes. */
export async function choose(page: Page, model: string, steps: number): Promise<void> {
  await page.locator(`option[value="${model}"]`).waitFor({ state: "attached", timeout: 240_000 });
  await page.getByLabel("Model", { exact: true }).selectOption(model);
  const field = page.getByRole("textbox", { name: "Steps", exact: true });
  await field.fill(String(steps));
  await field.press("Enter");
}
