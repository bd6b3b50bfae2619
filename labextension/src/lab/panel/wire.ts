// A WebSocket that is made again whenever it breaks: soon at first, then with longer pauses.

const FIRST = 250;
const LONGEST = 15_000;
/** Milliseconds that it may take to open, or to answer a greeting, before it is given up. */
const PATIENCE = 20_000;

export interface Ends {
  hear(message: unknown): void;
  opened(): void;
  /** It has broken, or could not be made (`wasOpen` is false): by which code, and why. */
  closed(code: number, reason: string, wasOpen: boolean): void;
}

export class Wire {
  private socket: WebSocket | null = null;
  private pause = FIRST;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private wasOpen = false;
  private ended = false;
  private readonly soon = () => this.hurry();

  constructor(
    private readonly make: () => WebSocket,
    private readonly ends: Ends,
  ) {
    window.addEventListener("online", this.soon);
    this.connect();
  }

  get open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** `answered`: something has to come back, else the other end is gone without a word. */
  send(message: object, answered = false): void {
    if (!this.open) return;
    this.socket!.send(JSON.stringify(message));
    if (answered) this.expect();
  }

  /** Try now, if it waits. */
  hurry(): void {
    if (this.socket || this.ended) return;
    clearTimeout(this.timer);
    this.connect();
  }

  close(): void {
    this.ended = true;
    window.removeEventListener("online", this.soon);
    clearTimeout(this.timer);
    clearTimeout(this.patience);
    this.socket?.close();
    this.socket = null;
  }

  private expect(): void {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.drop(1006, ""), PATIENCE);
  }

  private connect(): void {
    const socket = (this.socket = this.make());
    this.expect();
    socket.onopen = () => {
      if (this.socket !== socket) return;
      clearTimeout(this.patience);
      this.wasOpen = true;
      this.ends.opened();
    };
    socket.onmessage = ({ data }) => {
      if (this.socket !== socket) return;
      clearTimeout(this.patience);
      this.pause = FIRST;
      this.ends.hear(JSON.parse(String(data)));
    };
    socket.onclose = ({ code, reason }) => this.socket === socket && this.drop(code, reason);
  }

  private drop(code: number, reason: string): void {
    const socket = this.socket;
    if (!socket || this.ended) return;
    clearTimeout(this.patience);
    const { wasOpen } = this;
    this.socket = null;
    this.wasOpen = false;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    const pause = this.pause * (0.75 + Math.random() / 2); // not all windows at once
    this.pause = Math.min(LONGEST, this.pause * 2);
    this.timer = setTimeout(() => this.connect(), pause);
    this.ends.closed(code, reason, wasOpen);
  }
}
