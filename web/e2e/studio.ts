/** A real server on a free port with projects of its own, and a real Chromium looking at it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const web = fileURLToPath(new URL("..", import.meta.url));
const repository = join(web, "..");
const python = process.env.REHEARSE_PYTHON ?? join(repository, ".venv/bin/python");

/** Where screenshots are kept. */
export const ARTIFACTS = join(web, "e2e/artifacts");

export interface Studio {
  address: string;
  process: ChildProcess;
  browser: Browser;
  open(size?: { width: number; height: number }, theme?: "light" | "dark"): Promise<Page>;
  /** What the pages complained of. */
  complaints: string[];
  /** Ids of the server's worker processes that hold a model. */
  workers(): number[];
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
      const found = /https?:\/\/[\w.:[\]]+\/?/.exec(said);
      if (found) done(found[0].replace(/\/$/, ""));
    };
    process.stdout?.on("data", read);
    process.stderr?.on("data", read);
    process.on("exit", (code) => fail(new Error(`the server ended with ${code}: ${said}`)));
  });
}

export async function openStudio(): Promise<Studio> {
  mkdirSync(ARTIFACTS, { recursive: true });
  const projects = mkdtempSync(join(tmpdir(), "rehearse-e2e-"));
  const server = spawn(
    python,
    ["-m", "rehearse", "studio", "--projects", projects, "--port", "0", "--no-browser"],
    { cwd: repository, env: { ...process.env, OMP_NUM_THREADS: "1", PYTHONUNBUFFERED: "1" } },
  );
  const address = await started(server);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
    ],
  });
  const complaints: string[] = [];
  return {
    address,
    process: server,
    browser,
    complaints,
    async open(viewport = { width: 1440, height: 900 }, theme = "dark") {
      const page = await browser.newPage({ viewport, colorScheme: theme, acceptDownloads: true });
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        // A refusal is an answer; the browser notes it as a failed load.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
          complaints.push(message.text());
      });
      await page.goto(address);
      await page
        .getByRole("button", { name: /^(Run|Play on|Pause|Branch)/ })
        .first()
        .waitFor();
      return page;
    },
    workers: () =>
      childrenOf(server.pid as number).filter((id) =>
        readFileSync(`/proc/${id}/cmdline`, "utf8").includes("rehearse.studio.worker"),
      ),
    async close() {
      await browser.close();
      server.removeAllListeners("exit");
      const ended = new Promise((done) => server.once("exit", done));
      server.kill("SIGINT");
      await Promise.race([ended, new Promise((done) => setTimeout(done, 15_000))]);
      server.kill("SIGKILL");
      rmSync(projects, { recursive: true, force: true });
    },
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
  const side = Math.min(box.width, box.height) - 72;
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
