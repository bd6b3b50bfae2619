// One line of code, as the modes of CodeMirror read it (the interface is that of its StringStream).

export class LineStream {
  pos = 0;
  start = 0;
  private lastColumn = { pos: 0, value: 0 };

  constructor(
    readonly string: string,
    readonly tabSize = 4,
    readonly indentUnit = 4,
  ) {}

  eol(): boolean {
    return this.pos >= this.string.length;
  }
  sol(): boolean {
    return this.pos === 0;
  }
  peek(): string | undefined {
    return this.string.charAt(this.pos) || undefined;
  }
  next(): string | undefined {
    return this.pos < this.string.length ? this.string.charAt(this.pos++) : undefined;
  }
  eat(match: string | RegExp | ((char: string) => boolean)): string | undefined {
    const char = this.string.charAt(this.pos);
    if (!char) return undefined;
    const fits =
      typeof match === "string"
        ? char === match
        : match instanceof RegExp
          ? match.test(char)
          : match(char);
    if (!fits) return undefined;
    this.pos++;
    return char;
  }
  eatWhile(match: string | RegExp | ((char: string) => boolean)): boolean {
    const from = this.pos;
    while (this.eat(match) !== undefined);
    return this.pos > from;
  }
  eatSpace(): boolean {
    return this.eatWhile(/[\s\u00a0]/);
  }
  skipToEnd(): void {
    this.pos = this.string.length;
  }
  skipTo(char: string): boolean {
    const found = this.string.indexOf(char, this.pos);
    if (found < 0) return false;
    this.pos = found;
    return true;
  }
  backUp(count: number): void {
    this.pos -= count;
  }
  column(): number {
    return this.columnOf(this.start);
  }
  indentation(): number {
    return this.columnOf(this.string.search(/[^\s\u00a0]|$/));
  }
  match(
    pattern: string | RegExp,
    consume = true,
    caseInsensitive = false,
  ): boolean | RegExpMatchArray | null {
    if (typeof pattern === "string") {
      const part = this.string.slice(this.pos, this.pos + pattern.length);
      const same = caseInsensitive
        ? part.toLowerCase() === pattern.toLowerCase()
        : part === pattern;
      if (same && consume) this.pos += pattern.length;
      return same ? true : null;
    }
    const found = this.string.slice(this.pos).match(pattern);
    if (!found || (found.index ?? 0) > 0) return null;
    if (consume) this.pos += found[0].length;
    return found;
  }
  current(): string {
    return this.string.slice(this.start, this.pos);
  }

  private columnOf(position: number): number {
    let { pos, value } = this.lastColumn;
    if (pos > position) pos = value = 0;
    for (; pos < position; pos++) {
      value += this.string[pos] === "\t" ? this.tabSize - (value % this.tabSize) : 1;
    }
    this.lastColumn = { pos, value };
    return value;
  }
}
