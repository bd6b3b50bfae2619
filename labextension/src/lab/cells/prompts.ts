// What models are asked about a cell: all of its words. The cell itself, its error and what stands
// above it go along as context, each under a label.

/** What is asked. */
export type Task = "explain" | "error" | "fix" | "improve" | "document" | "output";

/** What a cell is. `code`, in `language` if that is known; a question to a model; or text. */
export interface Subject {
  kind: "code" | "prompt" | "markdown" | "raw";
  /** As people write it, such as `Python`; "" if nobody knows. */
  language: string;
}

/** How an answer ends whose code can take the cell's place by a click. */
const WHOLE = "End with the whole cell, corrected, in one code block that can take its place as it stands.";
const REWRITTEN = "Then give the whole cell in one code block that can take its place as it stands.";
/** A text may hold code blocks of its own. */
const FOUR = " Fence that block with four backticks, for the text may hold blocks itself.";

export function question(task: Task, subject: Subject): string {
  const cell = named(subject);
  return ABOUT[subject.kind === "code" ? "code" : "text"][task](cell, subject);
}

/** `Python cell`, `Markdown cell`, … */
function named({ kind, language }: Subject): string {
  if (kind === "code") return language ? `${language} cell` : "code cell";
  if (kind === "prompt") return "%%jan cell (a prompt for a language model)";
  return kind === "markdown" ? "Markdown cell" : "cell";
}

type Questions = Record<Task, (cell: string, subject: Subject) => string>;

const ABOUT: Record<"code" | "text", Questions> = {
  code: {
    explain: (cell) =>
      `Explain this ${cell}: first what it is for, in one or two sentences, then the steps that are not obvious.` +
      " Point out what is likely to go wrong, if anything is.",
    error: (cell) =>
      `Explain why this ${cell} fails: what the error says, and what in the cell causes it. Keep it short. ${WHOLE}`,
    fix: (cell) =>
      `Fix the error of this ${cell}. Say in one or two sentences what was wrong, and change nothing else. ${WHOLE}`,
    improve: (cell) =>
      `Improve this ${cell}: clearer, simpler, and faster where that matters, with the same results. ` +
      `Name what you change in a short list, with reasons; if it is good as it is, say so. ${REWRITTEN}`,
    document: (cell, { language }) =>
      `Document this ${cell}: ${docstrings(language)}, and a comment where the code does not speak for itself. ` +
      "Change no code. Give nothing but the whole cell in one code block that can take its place as it stands.",
    output: (cell) =>
      `Explain this output of the ${cell}: what it shows, how it is to be read, and what is remarkable about it.` +
      " Be brief.",
  },
  text: {
    explain: (cell) => `Explain this ${cell}: what it says, and what it takes for granted. Be brief.`,
    error: (cell) => `Explain why this ${cell} fails, and what can be done about it. Keep it short.`,
    fix: (cell) => `Say why this ${cell} fails, and mend it if the cell is at fault. ${WHOLE}${FOUR}`,
    improve: (cell, { kind }) =>
      kind === "prompt"
        ? `Improve this ${cell}: clear, complete, and no longer than it need be. Keep its first line. ` +
          `Name what you change in a short list. ${REWRITTEN}${FOUR}`
        : `Improve the writing of this ${cell}: clear, correct and brief, with the same content and in its own ` +
          `language. ${REWRITTEN}${FOUR}`,
    document: (cell) => `Describe this ${cell} in one sentence.`,
    output: (cell) => `Explain this output of the ${cell}: what it says, and whether it holds. Be brief.`,
  },
};

/** What documents a function, in the words of a language. */
function docstrings(language: string): string {
  if (language === "Python") return "a docstring for every function and class, in the style that the cell has";
  if (language === "R") return "roxygen comments for every function";
  if (language === "Julia") return "a docstring for every function and type";
  return "a comment for every function and type, as is usual in that language";
}
