// What may be typed after a slash, in the composer.

import type { Queries } from "../protocol";
import type { Session } from "../session";
import { t } from "../words";
import type { Opened } from "./opened";
import { parsed } from "./values";

export interface Command {
  name: string;
  argument: string;
  help: string;
  /** Do it; returns what to say about it, or an error that says how to mend it. */
  run(session: Session, argument: string, open: Opened["open"]): string | Error;
}

export const COMMANDS: Command[] = [
  {
    name: "new",
    argument: "",
    help: t("begin a new thread"),
    run(session) {
      session.do({ type: "thread", id: "" });
      return "";
    },
  },
  {
    name: "model",
    argument: "[NAME]",
    help: t("answer with another model"),
    run(session, argument, open) {
      if (!argument) open("models");
      else {
        const model = found(session, argument);
        if (!model) return new Error(t("No model is called %1.", argument));
        session.do({ type: "model", model });
      }
      return "";
    },
  },
  {
    name: "compare",
    argument: "[NAME …]",
    help: t("further models answer beside it; nothing: none"),
    run(session, argument) {
      const names = argument.split(/\s+/).filter(Boolean);
      const models = names.map((name) => found(session, name));
      const missing = models.indexOf(undefined);
      if (missing >= 0) return new Error(t("No model is called %1.", names[missing]));
      session.do({ type: "compare", models: models as string[] });
      return models.length ? t("They answer as well: %1.", models.join(", ")) : t("One model answers.");
    },
  },
  {
    name: "set",
    argument: "NAME VALUE",
    help: t("set a parameter for this thread; nothing: open the settings"),
    run(session, argument, open) {
      if (!argument) {
        open("settings");
        return "";
      }
      const match = /^(\w+)(?:\s*[=\s]\s*(.*))?$/.exec(argument);
      const row = session.state.settings.find((one) => one.name === match?.[1]);
      if (!row) return new Error(t("No setting is called %1.", match?.[1] ?? argument));
      const value = parsed(row, match![2] ?? "");
      if (typeof value === "string" && row.type !== "text") return new Error(value);
      session.do({ type: "set", kind: row.kind, name: row.name, value });
      return value === null ? t("%1 is not set in this thread any more.", row.name) : t("%1 is %2, in this thread.", row.name, match![2]);
    },
  },
  {
    name: "instructions",
    argument: "TEXT",
    help: t("how the assistant should answer in this thread"),
    run(session, argument) {
      session.do({ type: "instructions", text: argument });
      return argument ? t("The instructions of this thread are set.") : t("This thread has no instructions any more.");
    },
  },
  {
    name: "rename",
    argument: "TITLE",
    help: t("another title for this thread"),
    run(session, argument) {
      const id = session.state.thread?.id;
      if (!id) return new Error(t("Nothing has been said in this thread yet."));
      if (!argument) return new Error(t("/rename needs a title."));
      session.do({ type: "rename", id, title: argument });
      return "";
    },
  },
  {
    name: "retry",
    argument: "",
    help: t("regenerate the last answer"),
    run(session) {
      const last = session.path.at(-1);
      if (session.state.columns.length) return new Error(t("Below each column stands how it goes on."));
      if (!last) return new Error(t("There is no answer yet."));
      session.do({ type: "regenerate", id: last.id });
      return "";
    },
  },
  {
    name: "export",
    argument: "[markdown|jsonl|ipynb]",
    help: t("save the conversation as a file"),
    run(session, argument) {
      const format = (argument || "markdown") as "markdown" | "jsonl" | "ipynb";
      if (!["markdown", "jsonl", "ipynb"].includes(format)) {
        return new Error(t("/export knows markdown, jsonl and ipynb."));
      }
      exported(session, format);
      return "";
    },
  },
];

function found(session: Session, name: string): string | undefined {
  const word = name.toLowerCase();
  const { models } = session.state;
  return (
    models.find((one) => one.id.toLowerCase() === word) ??
    models.find((one) => `${one.id} ${one.name}`.toLowerCase().includes(word))
  )?.id;
}

/** Save the conversation as a file; what is in the way is told. */
export function exported(session: Session, format: Queries["export"]["question"]["format"]): void {
  session.ask("export", { format }).then(
    ({ name, text }) => save(name, text),
    (error: Error) => session.say(error.message),
  );
}

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** All that there are where a conversation is shown. */
export const commandsOf = ({ host }: Session): readonly Command[] => [...COMMANDS, ...(host.commands ?? [])];

/** The command that a draft is; `null`: it is a question. An error: it is neither. */
export function commandOf(session: Session, draft: string): { command: Command; argument: string } | Error | null {
  const match = /^\/(\w+)(?:\s+([^]*))?$/.exec(draft.trimEnd());
  if (!match) return null;
  const commands = commandsOf(session);
  const command = commands.find((one) => one.name === match[1]);
  if (command) return { command, argument: (match[2] ?? "").trim() };
  const known = commands.map((one) => `/${one.name}`).join(", ");
  return new Error(t("There is no command /%1: %2. With a space before it, it is a question.", match[1], known));
}
