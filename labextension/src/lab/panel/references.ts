// What the `@…` of a question stand for, found out by the page: from the open notebook, from the
// server's files, and (variables) from the notebook's kernel.

import type { Found, References } from "../../host";
import { t } from "../../words";
import type { SavedCell, Contents, FileModel, NotebookPanel } from "../jupyter";
import { activeOf, cellsOf, errorOf, nameOf, notebookOf, outputOf, picturesOf, selectionOf, sourceOf } from "./book";
import { askKernel } from "./variables";

type Candidate = Awaited<ReturnType<References["complete"]>>["candidates"][number];

/** Those of `jan_jupyter/panel/context.py`, and what only a page sees. */
const REFERENCE =
  /(?<=\s|^)@(file:(?:'[^'\n]+'|"[^"\n]+"|[^\s'"]\S*)|(?:cell|output|error):\d+|(?:cell|output|selection|error|notebook)(?![\p{L}\p{N}_])|[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*)/gu;
const OURS = /^(?:file:|(?:cell|output|error)(?::\d+)?$|(?:selection|notebook)$)/;
/** Characters of one thing. */
const LONGEST = 20_000;
const LARGEST_FILE = 10 ** 6;
const MOST_PICTURES = 4;
/** Characters that a token has, about. */
const TOKEN = 4;

type Part = { text: string; cut?: number; images?: string[] } | { why: string } | null;

export class LabReferences implements References {
  constructor(
    private readonly open: () => NotebookPanel | null,
    private readonly contents: Contents,
    /** Tokens that the model can read, where that is known. */
    private readonly length: () => number | null,
  ) {}

  async resolve(text: string): Promise<Found> {
    const names = [...new Set([...text.matchAll(REFERENCE)].map((match) => match[1]!))];
    const found: Found = { context: [], images: [], missing: [] };
    const add = (name: string, part: Part) => {
      if (!part) return;
      if ("why" in part) found.missing.push(`@${name}: ${part.why}`);
      else if (part.text || part.images?.length) {
        const cut = Math.max(0, part.text.length - LONGEST);
        const shown = cut ? `${part.text.slice(0, LONGEST)}\n… (${cut.toLocaleString("en")} more characters left out)` : part.text;
        found.context.push({ label: `@${name}`, text: shown || "(a picture)", cut: cut + (part.cut ?? 0) });
        found.images.push(...(part.images ?? []));
      }
    };
    const ours = names.filter((name) => OURS.test(name));
    const parts = await Promise.all(ours.map((name) => this.part(name)));
    ours.forEach((name, at) => add(name, parts[at]!));
    const variables = names.filter((name) => !OURS.test(name));
    if (variables.length) await this.variables(variables, found);
    return found;
  }

  private async part(name: string): Promise<Part> {
    if (name.startsWith("file:")) return this.file(name.slice("file:".length).replace(/^(['"])(.*)\1$/, "$2"));
    const panel = this.open();
    if (!panel) return { why: t("no notebook is open.") };
    const [kind, number] = name.split(":");
    const cells = cellsOf(panel).map(({ cell }) => cell);
    if (kind === "selection") return { text: selectionOf(panel) };
    if (kind === "notebook") {
      const most = Math.min(LONGEST, ((this.length() ?? LONGEST) * TOKEN) / 2);
      return notebookOf(cells, panel.content.activeCellIndex, most);
    }
    const ran = (cell: SavedCell) => cell.execution_count === Number(number);
    const cell = number ? cells.find(ran) : activeOf(panel);
    if (!cell) return { why: number ? t("no cell has the number %1.", number) : t("there is no cell.") };
    if (kind === "cell") return { text: sourceOf(cell) };
    if (kind === "error") {
      const error = errorOf(cell) || (number ? "" : errorOf(cells.findLast((one) => errorOf(one)) ?? cell));
      return error ? { text: error } : { why: t("no cell shows an error.") };
    }
    const images = picturesOf(cell).slice(0, MOST_PICTURES);
    const text = outputOf(cell);
    return text || images.length ? { text, images } : { why: t("the cell has put out nothing.") };
  }

  private async variables(names: string[], found: Found): Promise<void> {
    const panel = this.open();
    if (!panel) return; // a name, perhaps of a person
    const answer = await askKernel(panel.sessionContext, "resolve", names.map((name) => `@${name}`).join(" "));
    if ("value" in answer) found.context.push(...answer.value);
    else found.missing.push(`${names.map((name) => `@${name}`).join(", ")}: ${answer.why}`);
  }

  // Files: of the folder of the notebook; `/…` from where the server shows files, `/DRIVE:…` from
  // another drive of JupyterLab's.

  private path(written: string): string {
    const [drive, place] = this.drive(this.open()?.context.path ?? "");
    const [other, from] = this.drive(written.replace(/^\//, ""));
    const rooted = Boolean(other) || written.startsWith("/");
    const base = rooted ? [] : place.split("/").slice(0, -1);
    const parts: string[] = [];
    for (const part of [...base, ...from.split("/")]) {
      if (part === "..") parts.pop();
      else if (part && part !== ".") parts.push(part);
    }
    return (rooted ? other : drive) + parts.join("/");
  }

  /** The drive of a path, with its colon, and what follows. */
  private drive(path: string): [string, string] {
    const name = this.contents.driveName(path);
    const drive = name && `${name}:`;
    return [drive, path.slice(drive.length)];
  }

  private async file(written: string): Promise<Part> {
    const path = this.path(written);
    try {
      const about = await this.contents.get(path, { content: false });
      if (about.type === "directory") return { why: t("this is a folder.") };
      if ((about.size ?? 0) > LARGEST_FILE) return { why: t("it is larger than 1 MB.") };
      const { content } = await this.contents.get(path, { content: true, type: "file", format: "text" });
      return typeof content === "string" ? { text: content } : { why: t("it is no text.") };
    } catch (error) {
      const { status } = (error as { response?: Response }).response ?? {};
      return { why: status === 404 ? t("there is no such file.") : status === 400 ? t("it is no text.") : t("it cannot be read.") };
    }
  }

  // What may be typed --------------------------------------------------------------------------

  async complete(text: string): Promise<{ candidates: Candidate[]; note: string }> {
    const word = text.slice(1);
    if (word.startsWith("file:")) return { candidates: await this.files(word.slice("file:".length).replace(/^['"]/, "")), note: "" };
    const panel = this.open();
    const ours = panel ? this.known(panel, word) : [];
    ours.push({ insert: "@file:", label: "@file:…", detail: t("a text file") });
    const fits = ({ label }: Candidate) => label.toLowerCase().startsWith(`@${word}`.toLowerCase());
    const fixed = ours.filter(fits);
    if (!panel) return { candidates: fixed, note: "" };
    if (/^(cell|output|error):/.test(word)) return { candidates: fixed, note: "" };
    const answer = await askKernel(panel.sessionContext, "complete", text);
    if ("why" in answer) return { candidates: fixed, note: answer.why };
    return { candidates: [...fixed, ...answer.value], note: "" };
  }

  private known(panel: NotebookPanel, word: string): Candidate[] {
    const cells = cellsOf(panel).map(({ cell }) => cell);
    const active = activeOf(panel);
    const one = (name: string, detail: string): Candidate => ({ insert: `@${name} `, label: `@${name}`, detail });
    const numbered = /^(cell|output|error):/.exec(word)?.[1];
    if (numbered) {
      const fits = { cell: sourceOf, output: outputOf, error: errorOf }[numbered as "cell" | "output" | "error"];
      const ran = cells.filter((cell) => cell.execution_count && fits(cell)).reverse();
      return ran.map((cell) => one(`${numbered}:${cell.execution_count}`, firstLine(fits(cell))));
    }
    if (!active) return [];
    const at = nameOf(active, panel.content.activeCellIndex);
    const found: Candidate[] = [];
    const selection = selectionOf(panel);
    if (selection) found.push(one("selection", firstLine(selection)));
    if (sourceOf(active)) found.push(one("cell", `${at}: ${firstLine(sourceOf(active))}`));
    const pictures = picturesOf(active).length;
    if (pictures || outputOf(active)) found.push(one("output", t(pictures ? "of %1, with its picture" : "of %1", at)));
    const failed = errorOf(active) ? active : cells.findLast((cell) => errorOf(cell));
    if (failed) found.push(one("error", errorOf(failed).split("\n").at(-1)!.slice(0, 80)));
    found.push(one("notebook", `${panel.context.path.split("/").at(-1)}, ${cells.length} cells`));
    return found;
  }

  private async files(begun: string): Promise<Candidate[]> {
    const at = begun.lastIndexOf("/") + 1;
    const [folder, start] = [begun.slice(0, at), begun.slice(at)];
    const found = await this.contents.get(this.path(folder), { content: true, type: "directory" }).catch(() => null);
    const entries = ((found?.content ?? []) as FileModel[]).filter(
      ({ name }) => name.startsWith(start) && !name.startsWith("."),
    );
    return entries
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, 50)
      .map(({ name, type, size }) => {
        const whole = referenceTo(folder + name);
        if (type === "directory") return { insert: `${whole.replace(/['"]$/, "")}/`, label: `@file:${folder}${name}/`, detail: t("folder") };
        return { insert: `${whole} `, label: `@file:${folder}${name}`, detail: size ? t("%1 bytes", size.toLocaleString("en")) : "" };
      });
  }
}

/** How a file is named in a question: in quotes, if there are blanks in its path. */
export function referenceTo(path: string): string {
  const quote = !/\s/.test(path) ? "" : path.includes("'") ? '"' : "'";
  return `@file:${quote}${path}${quote}`;
}

const firstLine = (text: string): string => text.trim().split("\n", 1)[0]!.slice(0, 80);
