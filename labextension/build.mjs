// Builds the front end into jan_jupyter/static/: `chat.js` and `compare.js` (widgets), and the two
// parts that they ask for when they are first needed: `code.js` (highlighting) and `math.js`
// (formulas); `page.js`, which a comparison that is saved as a page brings along, whole; and beside
// them the extension of JupyterLab (lab.mjs).
// With `--tests`: bundles tests/ for Node's own test runner.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { buildLab } from "./lab.mjs";

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".css": "text" },
  logLevel: "warning",
};

if (process.argv.includes("--tests")) {
  rmSync(".tests", { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: readdirSync("tests").filter((n) => n.endsWith(".test.ts")).map((n) => `tests/${n}`),
    outdir: ".tests",
    outExtension: { ".js": ".mjs" },
    platform: "node",
  });
} else {
  const outdir = process.env.JAN_STATIC ?? "../jan_jupyter/static";
  const texts = async (entryPoints, options) => {
    const { outputFiles } = await build({
      ...common,
      ...options,
      entryPoints,
      outdir,
      write: false,
      minify: true,
      charset: "utf8",
      legalComments: "none",
      platform: "browser",
    });
    return outputFiles;
  };
  const parts = await texts({ code: "src/code/index.ts", math: "src/math.ts" });
  mkdirSync(outdir, { recursive: true });
  for (const { path, contents } of parts) writeFileSync(path, contents);
  for (const [name, source] of Object.entries({ chat: "src/widget.ts", compare: "src/compare/widget.ts" })) {
    const [widget] = await texts({ [name]: source }, { format: "iife", globalName: "made" });
    // A page evaluates the module of each widget anew (anywidget). The first of a build does what all
    // others of that build share; one of another build, from an upgraded kernel, does its own.
    const hash = createHash("sha256");
    for (const { contents } of [widget, ...parts]) hash.update(contents);
    const key = JSON.stringify(`jan-jupyter ${hash.digest("hex").slice(0, 16)}`);
    const shared = `globalThis[Symbol.for(${key})]`;
    writeFileSync(widget.path, `export default ${shared}??=(()=>{${widget.text}return made.default})();\n`);
  }
  const [page] = await texts({ page: "src/page.ts" }, { format: "iife" });
  // It is written into pages: nothing in it may begin a comment there, or end its element.
  const safe = page.text.replaceAll("<!--", "\\x3c!--");
  if (/<!--|<\/script/i.test(safe)) throw new Error("page.js would end its own element.");
  writeFileSync(page.path, safe);
  await buildLab(common, `${outdir}/../labextension`);
}
