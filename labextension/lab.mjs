// Builds the prebuilt JupyterLab extension: a container that JupyterLab loads at its start, and what
// that loads at its first use. All but package.json have their content's digest in their names, so a
// browser may keep them for ever.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";

const NAME = "jan-jupyter";
const MODULE = "./extension";
/** Files of src/lab/ that are loaded at their first use: `Modules` of load.ts. */
const MODULES = ["cells", "comparison", "completion", "reply", "models", "status", "panel"];
/** A file for each plugin that has settings, menus, toolbars or shortcuts. */
const SCHEMAS = "schemas";
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
  // The source of each file, by the name of what is built of it.
  const built = async (entryPoints, more) => {
    const { metafile } = await build({ ...options, ...more, entryPoints });
    const names = Object.fromEntries(Object.entries(entryPoints).map(([name, source]) => [source, name]));
    const files = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => names[entryPoint]);
    return Object.fromEntries(files.map(([file, { entryPoint }]) => [names[entryPoint], basename(file)]));
  };
  const modules = Object.fromEntries(MODULES.map((name) => [name, `src/lab/${name}.ts`]));
  const files = await built(modules, { splitting: true, define: { VERSION: JSON.stringify(VERSION) } });
  const paths = Object.entries(files).map(([name, file]) => [name, `./${file}`]);
  const { remoteEntry: entry } = await built({ remoteEntry: "src/lab/container.ts" }, {
    format: "iife",
    define: {
      NAME: JSON.stringify(NAME),
      MODULE: JSON.stringify(MODULE),
      FILES: JSON.stringify(Object.fromEntries(paths)),
    },
  });
  if (existsSync(SCHEMAS)) cpSync(SCHEMAS, `${outdir}/schemas/${NAME}`, { recursive: true });
  const about = {
    name: NAME,
    version: VERSION,
    description: "Language models in notebooks.",
    license: "Apache-2.0",
    // What is taken from the page, for `jupyter labextension list`.
    dependencies: {
      "@jupyterlab/notebook": "^4.2.0",
      "@jupyterlab/rendermime": "^4.2.0",
      "@jupyterlab/services": "^7.2.0",
      "@lumino/widgets": "^2.3.0",
    },
    jupyterlab: { extension: true, schemaDir: "schemas", _build: { load: `static/${entry}`, extension: MODULE } },
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
