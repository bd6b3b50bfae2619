// Tab in lines of `%jan` and `%%jan`: the words come from the Jupyter server, so that they come while the
// kernel is busy, too, and each with what it means.

import type { Application, Packages, Plugin } from "../jupyter";
import { Server, statusOf } from "../server";
import { wanted } from "../services";
import type { Change } from "../notebook";
import { isPrompt } from "./about";

/** `@jupyterlab/completer`. */
interface Manager {
  registerProvider(provider: Provider): void;
}

interface Context {
  editor?: Editor | null;
}

interface Editor {
  getCursorPosition(): { line: number; column: number };
  getLine(line: number): string | undefined;
  model: { sharedModel: { getSource(): string } };
}

interface Item {
  label: string;
  insertText: string;
  type: string;
  documentation: string;
}

/** Places are characters (not UTF-16's) of the whole text. */
interface Reply {
  start: number;
  end: number;
  items: Item[];
}

interface Provider {
  identifier: string;
  /** Higher ones come first in the list; the kernel's has 550. */
  rank: number;
  isApplicable(context: Context): Promise<boolean>;
  /** `offset`: of the cursor, in characters of the whole text. */
  fetch(request: { offset: number; text: string }, context: Context): Promise<Reply>;
  shouldShowContinuousHint(visible: boolean, changed: Change, context?: Context): boolean;
}

/** What `POST /complete` answers: characters of the line, and what may stand between them. */
interface Words {
  ours: boolean;
  start: number;
  end: number;
  data: { text: string; type: string; documentation: string }[];
}

/** A line of ours, up to the cursor: a command or a question, or a question with a name for its answer. */
const LINE = /^\s*(?:[^#'"]*=\s*)?%jan\s/;
const FIRST = /^\s*%%jan\s/;

const NOTHING: Reply = { start: 0, end: 0, items: [] };

/** The line up to the cursor if it is one of ours. */
export function lineAt(editor: Editor): string | null {
  const { line, column } = editor.getCursorPosition();
  const before = (editor.getLine(line) ?? "").slice(0, column);
  if (FIRST.test(before)) return above(editor, line) ? null : before;
  return LINE.test(before) && !isPrompt(editor.model.sharedModel.getSource()) ? before : null;
}

/** Whether something stands above a line. */
function above(editor: Editor, line: number): boolean {
  for (let i = 0; i < line; i++) if (editor.getLine(i)?.trim()) return true;
  return false;
}

export function words({ completer, services }: Packages): Plugin {
  const { optional, found } = wanted<{ manager: Manager }>({ manager: completer?.ICompletionProviderManager });
  return {
    id: `${NAME}:words`,
    description: "What Tab offers in lines of %jan.",
    autoStart: true,
    requires: [],
    optional,
    activate(app, ...rest) {
      const { manager } = found(rest);
      manager?.registerProvider(provider(new Server({ services }, app as Application)));
    },
  };
}

export function provider(server: Pick<Server, "send">): Provider {
  /** The server does not know it: an older one, or one without us. */
  let missing = false;
  return {
    identifier: "CompletionProvider:jan",
    rank: 1100,
    // In all of a prompt: what is typed there is no code, and needs no hints.
    isApplicable: async ({ editor }) =>
      Boolean(editor && !missing && (lineAt(editor) !== null || isPrompt(editor.model.sharedModel.getSource()))),
    async fetch({ offset }, { editor }) {
      const line = editor && lineAt(editor);
      if (line === null || line === undefined) return NOTHING;
      const begin = offset - [...line].length;
      let found: Words;
      try {
        found = await server.send<Words>("POST", "complete", { line });
      } catch (error) {
        missing = statusOf(error) === 404;
        return NOTHING;
      }
      const items = found.data.map(({ text, type, documentation }) => ({
        label: text,
        insertText: text,
        type,
        documentation,
      }));
      return { start: begin + found.start, end: begin + found.end, items };
    },
    shouldShowContinuousHint(visible, { sourceChange }, context) {
      if (visible || !context?.editor || lineAt(context.editor) === null) return false;
      const typed = sourceChange?.map(({ insert }) => insert ?? "").join("") ?? "";
      return !sourceChange?.some((part) => part.delete) && /^[\p{L}\p{N}_-]$/u.test(typed);
    },
  };
}

/** Written in by lab.mjs. */
declare const NAME: string;
