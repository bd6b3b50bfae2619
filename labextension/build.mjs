// Builds the front end into jan_jupyter/static/: `chat.js` (the widget), and the two parts that it
// asks for when they are first needed: `code.js` (highlighting) and `math.js` (formulas).
// With `--tests`: bundles tests/ for Node's own test runner.
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

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
  await build({
    ...common,
    entryPoints: { chat: "src/widget.ts", code: "src/code/index.ts", math: "src/math.ts" },
    outdir,
    minify: true,
    charset: "utf8",
    legalComments: "none",
    platform: "browser",
  });
}
