// Builds the page into src/ztfast/serve/static (or the folder given): the same bytes from the same lock file.
// LICENSES.txt has the licence of each package whose code is in the bundle.

import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "..", "src", "ztfast", "serve", "static"));

await mkdir(out, { recursive: true });
const made = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.js" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});
await build({ absWorkingDir: here, entryPoints: ["src/app.css"], outdir: out, minify: true, target: "es2022", logLevel: "warning" });
for (const name of ["index.html", "icon.svg"]) await copyFile(join(here, "src", name), join(out, name));
await writeFile(join(out, "LICENSES.txt"), await licences(Object.keys(made.metafile.inputs)));

async function licences(inputs) {
  const packages = inputs.map((name) => name.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean);
  const texts = [...new Set(packages)].sort().map(async (name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).sort().find((one) => /^licen[cs]e/i.test(one));
    if (!file) throw new Error(`${name} has no licence`);
    const text = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n").trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  const head = "app.js holds code of these packages, beside ztfast's own (Apache-2.0).\n";
  return [head, ...(await Promise.all(texts))].join(`\n${"-".repeat(78)}\n\n`);
}
