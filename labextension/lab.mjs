// Builds the prebuilt JupyterLab extension: a container that JupyterLab loads at its start, and what
// that loads at its first use. All but package.json have their content's digest in their names, so a
// browser may keep them for ever.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";

const NAME = "jan-jupyter";
const MODULE = "./extension";
const VERSION = /^__version__ = "(.+)"$/m.exec(readFileSync("../jan_jupyter/__init__.py", "utf8"))[1];

export async function buildLab(common, outdir) {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const options = {
    ...common,
    outdir: `${outdir}/static`,
    entryNames: "[name].[hash]",
    chunkNames: "[name].[hash]",
    metafile: true,
    minify: true,
    charset: "utf8",
    legalComments: "none",
    platform: "browser",
  };
  const built = async (name, source, more) => {
    const { metafile } = await build({ ...options, ...more, entryPoints: { [name]: source } });
    const isEntry = ([, { entryPoint }]) => entryPoint === source;
    return basename(Object.entries(metafile.outputs).find(isEntry)[0]);
  };
  const comparison = await built("comparison", "src/lab/comparison.ts", { splitting: true });
  const entry = await built("remoteEntry", "src/lab/container.ts", {
    format: "iife",
    external: [`./${comparison}`],
    define: {
      NAME: JSON.stringify(NAME),
      MODULE: JSON.stringify(MODULE),
      COMPARISON_MODULE: JSON.stringify(`./${comparison}`),
    },
  });
  const about = {
    name: NAME,
    version: VERSION,
    description: "Language models in notebooks: comparisons, alive and saved.",
    license: "Apache-2.0",
    // What is taken from the page, for `jupyter labextension list`.
    dependencies: {
      "@jupyterlab/notebook": "^4.2.0",
      "@jupyterlab/rendermime": "^4.2.0",
      "@lumino/widgets": "^2.3.0",
    },
    jupyterlab: { extension: true, _build: { load: `static/${entry}`, extension: MODULE } },
  };
  const install = {
    packageManager: "python",
    packageName: NAME,
    uninstallInstructions: `pip uninstall ${NAME}`,
  };
  const write = (file, content) =>
    writeFileSync(`${outdir}/${file}`, `${JSON.stringify(content, null, 2)}\n`);
  write("package.json", about);
  write("install.json", install);
}
