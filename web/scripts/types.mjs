// Writes the TypeScript types of the shot document and of the HTTP API from docs/; `--check` only compares.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
// The constants tell the members of a union apart; nested discriminators are more than the generator reads.
const plain = (node) => {
  if (Array.isArray(node)) return node.map(plain);
  if (node === null || typeof node !== "object") return node;
  const { discriminator, ...rest } = node;
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, plain(value)]));
};

// A constant always stands in the document.
function requireConstants(schemas) {
  for (const schema of Object.values(schemas)) {
    const constants = Object.keys(schema.properties ?? {}).filter(
      (name) => "const" in schema.properties[name],
    );
    if (constants.length) schema.required = [...new Set([...(schema.required ?? []), ...constants])];
  }
}

const header = (source) => `// Generated from ${source} by \`npm run types\`; do not edit.\n`;

function shotSchemas() {
  const text = readFileSync(at("docs/shot.schema.json"), "utf8").replaceAll(
    "#/$defs/",
    "#/components/schemas/",
  );
  const { $defs, $schema, ...shot } = JSON.parse(text);
  requireConstants($defs);
  return { ...$defs, Shot: shot };
}

const write = async (document) =>
  astToString(await openapiTS(plain(document), { defaultNonNullable: false }));

async function shotTypes() {
  const info = { title: "Shot", version: "1" };
  const document = { openapi: "3.1.0", info, paths: {}, components: { schemas: shotSchemas() } };
  return header("docs/shot.schema.json") + (await write(document));
}

async function apiTypes() {
  const document = JSON.parse(readFileSync(at("docs/openapi.json"), "utf8"));
  requireConstants(document.components.schemas);
  // A shot is the same document everywhere.
  for (const [name, schema] of Object.entries(shotSchemas()))
    if (name in document.components.schemas) document.components.schemas[name] = schema;
  return header("docs/openapi.json") + (await write(document));
}

const outputs = { "web/src/document/shot.schema.ts": shotTypes };
if (existsSync(at("docs/openapi.json"))) outputs["web/src/api/openapi.schema.ts"] = apiTypes;

let stale = false;
for (const [path, make] of Object.entries(outputs)) {
  const text = await make();
  if (process.argv.includes("--check")) {
    if (!existsSync(at(path)) || readFileSync(at(path), "utf8") !== text) {
      console.error(`${path} does not match docs/; run npm run types`);
      stale = true;
    }
  } else {
    writeFileSync(at(path), text);
  }
}
process.exit(stale ? 1 : 0);
