/** The desk in a real browser behind a real reverse proxy: under another name, below a path. */
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { choose, keep, openStudio, type Studio, toyModels } from "./studio";

const NAME = "studio.example.org";
const PATH = "/tools/rehearse";
const TOKEN = "a-word";

/** A proxy before the server at an address. takesOff: whether it takes the path off before it asks. */
async function proxyTo(address: string, takesOff: boolean): Promise<{ port: number; server: Server }> {
  const { port: behind } = new URL(address);
  const server = createServer((asked, answer) => {
    const path = asked.url ?? "/";
    if (!path.startsWith(`${PATH}/`)) {
      answer.writeHead(404).end("the proxy has nothing there");
      return;
    }
    const headers = { ...asked.headers };
    // As nginx does unless it is told otherwise: it asks for the name of the server behind it.
    if (takesOff) headers.host = `127.0.0.1:${behind}`;
    const onward = request(
      {
        host: "127.0.0.1",
        port: behind,
        path: takesOff ? path.slice(PATH.length) : path,
        method: asked.method,
        headers,
      },
      (came) => {
        answer.writeHead(came.statusCode ?? 502, came.headers);
        came.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
    answer.on("close", () => onward.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as AddressInfo).port, server };
}

let toys: ReturnType<typeof toyModels>;
let studio: Studio;
const servers: Server[] = [];

beforeAll(async () => {
  toys = toyModels();
  studio = await openStudio({
    words: ["-m", toys.video, "--allow-host", NAME, "--root-path", PATH, "--token", TOKEN],
    resolve: NAME,
  });
});

afterAll(async () => {
  await studio?.close();
  for (const server of servers) server.close();
  toys?.remove();
});

describe.each([
  ["takes the path off", true],
  ["leaves the path", false],
])("the desk behind a proxy that %s", (_, takesOff) => {
  let page: Page;
  const astray: string[] = [];

  it("opens by the link with the token, which leaves the address", async () => {
    const { port, server } = await proxyTo(studio.address, takesOff);
    servers.push(server);
    const context = await studio.browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    page.on("pageerror", (error) => astray.push(error.message));
    page.on("response", (response) => {
      if (response.status() >= 400) astray.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(`http://${NAME}:${port}${PATH}/?token=${TOKEN}`);
    await page.locator(".run-button").first().waitFor();
    expect(page.url().split("#")[0]).toBe(`http://${NAME}:${port}${PATH}/`);
    const cookies = await context.cookies();
    expect(cookies.map(({ path, domain }) => [path, domain])).toEqual([[PATH, NAME]]);
    const icons = await page
      .locator("img")
      .evaluateAll((found) =>
        (found as HTMLImageElement[])
          .filter((one) => one.complete && !one.naturalWidth)
          .map((one) => one.src),
      );
    expect(icons).toEqual([]);
  });

  it("plays a take, told step by step, and shows it", async () => {
    await choose(page, toys.video, 3);
    await page.locator(".run-button").first().click();
    await expect
      .poll(() => page.locator(".run-state").textContent(), { timeout: 240_000, interval: 300 })
      .toMatch(/finished|done/i);
    const addresses = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => name),
    );
    expect(addresses.some((address) => address.includes(`${PATH}/api/previews/`))).toBe(true);
    expect(addresses.filter((address) => /^https?:/.test(address) && !address.includes(PATH))).toEqual([]);
    await keep(page, `proxy-${takesOff ? "stripping" : "keeping"}`);
    expect(astray).toEqual([]);
  });
});
