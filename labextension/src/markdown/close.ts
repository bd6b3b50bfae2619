// Text that stops in mid-markup, made to look as it will once the rest is there: what has begun is
// closed, what cannot be shown yet (half a link) is left out. Only ever the last block is touched.

/** `text`, the unfinished end of a document, with the markup of its last paragraph closed. */
export function closed(text: string): string {
  const from = paragraphStart(text);
  const paragraph = text.slice(from);
  if (/^ {0,3}(?:`{3,}|~{3,}|\$\$|\\\[)/.test(paragraph)) return text; // not for inline markup
  return text.slice(0, from) + closedInline(paragraph);
}

/** Where the last paragraph, list item or heading begins. */
function paragraphStart(text: string): number {
  let from = 0;
  for (const match of text.matchAll(/\n(?=[ \t]*(?:\n|#{1,6} |>|[-*+] |\d{1,9}[.)] |\|))/g)) {
    from = match.index + 1;
  }
  return from;
}

function closedInline(text: string): string {
  const code = openCode(text);
  if (code !== null) {
    const rest = text.slice(code.at + code.run.length);
    return rest.trim() ? `${text}${/`$/.test(text) ? " " : ""}${code.run}` : text.slice(0, code.at);
  }
  let shown = text
    .replace(/!?\[([^[\]\n]*)\]\([^()\n]*$/, "$1") // the address is still coming
    .replace(/(^|[^\\])<(?:https?|mailto):[^>\s]*$/i, "$1");
  const plain = withoutCode(shown);
  for (const mark of ["~~", "**", "__"]) {
    if (plain.split(mark).length % 2 === 0) shown = completed(shown, mark);
  }
  return shown;
}

function completed(text: string, mark: string): string {
  const trimmed = text.trimEnd();
  if (trimmed.endsWith(mark)) return trimmed.slice(0, -mark.length); // nothing behind it yet
  const half = mark[0]!;
  // One half of the closer may be there already.
  const missing = trimmed.endsWith(half) && !trimmed.endsWith(`\\${half}`) ? half : mark;
  return trimmed + missing + text.slice(trimmed.length);
}

/** The run of backticks that is not closed, if there is one. */
function openCode(text: string): { at: number; run: string } | null {
  const runs = [...text.matchAll(/`+/g)].filter((run) => text[run.index - 1] !== "\\");
  for (let i = 0; i < runs.length; i++) {
    const closer = runs.findIndex((run, j) => j > i && run[0].length === runs[i]![0].length);
    if (closer < 0) return { at: runs[i]!.index, run: runs[i]![0] };
    i = closer;
  }
  return null;
}

function withoutCode(text: string): string {
  return text.replace(/(`+)[^]*?\1/g, "").replace(/\\./g, "");
}
