// Build steps of our own: the licences of what is bundled, and the digest of what it was built from.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));

/** Files that decide what the build is, as paths inside web/. tests/studio_web reads the same list. */
const ROOT_FILES = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];
const FOLDERS = ["public", "scripts", "src"];

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const isSource = (path) => !/\.test\.tsx?$/.test(path);

/** SHA-256 over "path NUL content NUL" of every source, in the order of their paths. */
export function digestOfSources() {
  const paths = [
    ...ROOT_FILES.map((name) => join(web, name)),
    ...FOLDERS.flatMap((name) => filesBelow(join(web, name))),
  ]
    .map((path) => relative(web, path).replaceAll("\\", "/"))
    .filter(isSource)
    .sort((a, b) => (a < b ? -1 : 1));
  const hash = createHash("sha256");
  for (const path of paths) {
    hash.update(`${path}\0`);
    hash.update(readFileSync(join(web, path)));
    hash.update("\0");
  }
  return hash.digest("hex");
}

export function sourcesDigest() {
  return {
    name: "sources-digest",
    apply: "build",
    enforce: "post",
    // After everything else: what is counted is what is written.
    writeBundle({ dir }, bundle) {
      const files = {};
      for (const name of Object.keys(bundle).sort())
        files[name] = createHash("sha256")
          .update(readFileSync(join(dir, name)))
          .digest("hex");
      writeFileSync(
        join(dir, "build.json"),
        `${JSON.stringify({ sources: digestOfSources(), files }, null, 2)}\n`,
      );
    },
  };
}

/** Texts of the licences of every package that ends up in the bundle. */
export function licences() {
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const names = new Set();
      for (const id of this.getModuleIds()) {
        const found = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id.replaceAll("\\", "/"));
        if (found) names.add(found[1]);
      }
      const texts = [...names].sort().map((name) => {
        const folder = join(web, "node_modules", name);
        const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        const text =
          file && existsSync(join(folder, file))
            ? readFileSync(join(folder, file), "utf8")
            : `License: ${license}\n`;
        return `${name} ${version}\n\n${text.trim()}\n`;
      });
      this.emitFile({
        type: "asset",
        fileName: "licences.txt",
        source: texts.join(`\n${"-".repeat(72)}\n\n`),
      });
    },
  };
}
