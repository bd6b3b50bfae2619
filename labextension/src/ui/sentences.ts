// An answer is read out sentence by sentence, not token by token.

const END = /[.!?…:](?=\s)|\n/g;
/** Milliseconds between two announcements, so that each can be heard. */
const PAUSE = 900;

export class Sentences {
  private said: number;
  private next = 0;

  constructor(
    private readonly say: (text: string) => void,
    shown: string,
  ) {
    this.said = shown.length; // what was there before is not read out
  }

  feed(text: string, done: boolean): void {
    if (text.length < this.said) this.said = 0;
    if (!done && Date.now() < this.next) return;
    let end = done ? text.length : this.said;
    if (!done) {
      END.lastIndex = this.said;
      for (let match; (match = END.exec(text)); ) end = match.index + 1;
    }
    const sentence = plain(text.slice(this.said, end));
    this.said = end;
    if (!sentence) return;
    this.next = Date.now() + PAUSE;
    this.say(sentence);
  }
}

/** Markdown as it is spoken. */
export function plain(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^\s*(?:#{1,6}|[-*+]|>|\d+[.)])\s+/gm, "")
    .replace(/[`*_~|$]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
