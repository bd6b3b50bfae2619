// Where what a model writes at the cursor ends. Pure: it is asked again as the text grows.

export interface Around {
  /** The source of the cell up to the cursor, and from it on. */
  before: string;
  after: string;
  /** To the end of the line, and no further. */
  line: boolean;
  prose: boolean;
}

export interface Cut {
  text: string;
  /** Nothing that follows would be shown. */
  over: boolean;
}

/** Lines of code at most, and of text. */
const LINES = 12;
/** What is no text: it hides, or turns round, what stands beside it. */
const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/;

const firstLine = (text: string) => text.slice(0, (text.indexOf("\n") + 1 || text.length + 1) - 1);
const indentation = (line: string) => /^[ \t]*/.exec(line)![0].replaceAll("\t", "    ").length;

export function cut(raw: string, around: Around): Cut {
  const { before, after, prose } = around;
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const rest = firstLine(after);
  let text = raw.replace(/\r\n?/g, "\n");
  let over = false;
  const end = (at: number) => {
    if (at < 0) return;
    text = text.slice(0, at);
    over = true;
  };
  end(text.search(HIDDEN));
  // Some models begin with the line that they shall go on with.
  if (line.trim().length > 2) {
    if (text.startsWith(line)) text = text.slice(line.length);
    else if (!over && line.startsWith(text)) return { text: "", over };
  }
  if (around.line || rest.trim()) end(text.indexOf("\n"));
  else {
    end(text.search(/\n[ \t]*\n/));
    end(prose ? -1 : outside(text, line));
    end(nth(text, LINES));
  }
  return { text: withoutRest(text, rest).trimEnd(), over };
}

/** Where a line begins that is no part of the block in which the cursor stands; -1: nowhere. */
function outside(text: string, line: string): number {
  const [first, ...more] = text.split("\n");
  const least = indentation(line) + (/[:({[]\s*$/.test(line + first) ? 1 : 0);
  let place = first!.length;
  for (const one of more) {
    // Of a line that has just begun it is not known how far in it stands.
    if (one.trim() && indentation(one) < least && !/^\s*[)\]}]/.test(one)) return place;
    place += one.length + 1;
  }
  return -1;
}

function nth(text: string, lines: number): number {
  let place = -1;
  for (let line = 0; line < lines; line++) {
    place = text.indexOf("\n", place + 1);
    if (place < 0) return -1;
  }
  return place;
}

/** Without what stands behind the cursor already, as the bracket that an editor has closed. */
function withoutRest(text: string, rest: string): string {
  for (let length = Math.min(text.length, rest.length); length > 0; length--) {
    if (rest.slice(0, length).trim() && text.endsWith(rest.slice(0, length))) return text.slice(0, -length);
  }
  return text;
}
