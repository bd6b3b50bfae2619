// What the model manager knows, and what it does. No DOM.

import { t } from "../words";
import type { ModelEvent } from "../overview";
import type { Live } from "./live";
import type { Choice, EngineRow, Found, House, KeyRow, Listing, Model, Whole } from "./protocol";

export type Tab = "installed" | "apps" | "get" | "keys" | "engines";

const SOURCE = /^(hf|ollama|pypi|https?):/i;

/** Whether a text says where a model is, rather than words to look for. */
export const isSource = (text: string): boolean => SOURCE.test(text.trim());

export class Store {
  tab: Tab = "installed";
  /** The engine whose key shall be set. */
  wanted = "";
  models: Model[] | null = null;
  engines: EngineRow[] | null = null;
  keys: KeyRow[] | null = null;
  found: Found[] | null = null;
  /** The words that it was found by. */
  sought = "";
  /** Where it was not possible to look. */
  remark = "";
  /** What is under way, by what it is done to, in words. */
  readonly doing = new Map<string, string>();
  /** Why something could not be done, by what it was done to. */
  readonly failed = new Map<string, string>();
  private watchers = new Set<() => void>();
  private ends: (() => void)[] = [];
  private asked = 0;
  private before = "";

  constructor(
    readonly house: House,
    readonly live: Live,
    /** For those who do not see it. */
    public say: (text: string) => void = () => {},
  ) {}

  /** Follow what happens, from now on. */
  wake(): void {
    if (!this.ends.length) this.ends = [this.live.watch(() => this.follow()), this.live.listen((event) => this.hear(event))];
  }

  /** Nobody looks at it any more. */
  rest(): void {
    for (const end of this.ends.splice(0)) end();
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  open(tab: Tab, engine = ""): void {
    this.tab = tab;
    this.wanted = engine;
    this.changed();
    void this.look();
  }

  /** Ask again for what the open tab shows. */
  async look(): Promise<void> {
    const { tab } = this;
    if (tab === "keys") await this.readKeys();
    else if (tab === "engines") await this.read("engines", async () => (this.engines = (await this.house.get<Listing<EngineRow>>("engines")).data));
    else if (tab === "get" && this.found === null) await this.search("");
    else if (tab !== "get") await this.readModels();
  }

  private readModels(): Promise<void> {
    return this.read("models", async () => {
      const asked = ++this.asked;
      const { data } = await this.house.get<Listing<Model>>("models?all=true&details=true");
      if (asked === this.asked) this.models = data;
    });
  }

  private readKeys(): Promise<void> {
    return this.read("keys", async () => (this.keys = (await this.house.get<Listing<KeyRow>>("keys")).data));
  }

  private async read(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.failed.delete(what);
    } catch (error) {
      this.failed.set(what, said(error));
    }
    this.changed();
  }

  /** A pull may fail long after it was begun. */
  private hear({ state, engine, message }: ModelEvent): void {
    if (state === "failed" && !engine && message) this.say(message);
  }

  /** What came or went is seen in the list, too. */
  private follow(): void {
    const { pulls, held, state } = this.live;
    const now = [state, ...pulls.map(({ id }) => id), ...held.map(({ model }) => model)].join("\n");
    const other = now !== this.before;
    this.before = now;
    if (other && this.models) void this.readModels();
    this.changed();
  }

  private changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** Do something to something: in words while it lasts, and why it failed. */
  async act(to: string, words: string, work: () => Promise<string | void>): Promise<boolean> {
    if (this.doing.has(to)) return false;
    this.doing.set(to, words);
    this.failed.delete(to);
    this.changed();
    try {
      const done = await work();
      if (done) this.say(done);
      return true;
    } catch (error) {
      this.failed.set(to, said(error));
      this.say(said(error));
      return false;
    } finally {
      this.doing.delete(to);
      this.changed();
    }
  }

  dismiss(what: string): void {
    this.failed.delete(what);
    this.changed();
  }

  // Models

  whole(id: string): Promise<Whole> {
    return this.house.get<Whole>(`models/${name(id)}`);
  }

  load({ id }: Model): Promise<boolean> {
    return this.act(id, t("Loading …"), async () => {
      await this.house.send("POST", `models/${name(id)}/load`);
      return t("%1 is loaded.", id);
    });
  }

  unload(id: string): Promise<boolean> {
    return this.act(id, t("Unloading …"), async () => {
      await this.house.send("POST", `models/${name(id)}/unload`);
      return t("%1 is unloaded.", id);
    });
  }

  stop(id: string): Promise<boolean> {
    return this.act(id, t("Stopping …"), async () => {
      await this.house.send("POST", `models/${name(id)}/stop`);
      return t("%1 is stopped.", id);
    });
  }

  remove({ id }: Model): Promise<boolean> {
    return this.act(id, t("Removing …"), async () => {
      await this.house.send("DELETE", `models/${name(id)}`);
      await this.readModels();
      return t("%1 is removed.", id);
    });
  }

  // From elsewhere

  search(words: string): Promise<void> {
    return this.act("search", t("Looking …"), async () => {
      const answer = await this.house.get<Listing<Found> & { remark: string }>(`hub?q=${encodeURIComponent(words)}`);
      this.found = answer.data;
      this.sought = words;
      this.remark = answer.remark;
      return t("%1 models are found.", answer.data.length);
    }).then(() => {});
  }

  /** Begin to fetch it, or go on with it (`to`); how far it is, events tell. */
  pull(source: string, to = source): Promise<boolean> {
    return this.act(`pull ${to}`, t("Beginning …"), async () => {
      await this.house.send("POST", "models/pull", { model: source, background: true });
      return t("%1 is being fetched.", to);
    });
  }

  /** What a repository has. */
  async choices(source: string): Promise<Choice[]> {
    return (await this.house.get<Listing<Choice>>(`hub/choices?source=${name(source)}`)).data;
  }

  stopPull(id: string): Promise<boolean> {
    return this.act(`pull ${id}`, t("Stopping …"), async () => {
      await this.house.send("POST", `pulls/${name(id)}/stop`);
      return t("%1 is stopped; what has come is kept.", id);
    });
  }

  discard(id: string): Promise<boolean> {
    return this.act(`pull ${id}`, t("Deleting …"), async () => {
      await this.house.send("DELETE", `pulls/${name(id)}`);
      return t("What had come of %1 is deleted.", id);
    });
  }

  // Keys

  /** `take` gives the key, and keeps it no longer. */
  setKey({ engine, host }: KeyRow, take: () => string): Promise<boolean> {
    return this.act(`key ${engine} ${host}`, t("Keeping it …"), async () => {
      const { hint } = await this.house.send<KeyRow>("PUT", `keys/${name(engine)}`, { key: take(), ...(host && { for: host }) });
      this.wanted = ""; // else its row, which moves to those that have one, would ask again
      await this.readKeys();
      const now = this.keys?.find((one) => one.engine === engine && one.host === host);
      const instead = now?.source && !now.kept ? t("It is kept, but the key from %1 wins.", now.source) : "";
      if (hint || instead) throw new Error(hint || instead);
      return t("The key of %1 is kept.", engine);
    });
  }

  removeKey({ engine, host }: KeyRow): Promise<boolean> {
    return this.act(`key ${engine} ${host}`, t("Removing it …"), async () => {
      const asked = host ? `?for=${encodeURIComponent(host)}` : "";
      const { left } = await this.house.send<{ left?: string }>("DELETE", `keys/${name(engine)}${asked}`);
      await this.readKeys();
      if (left) throw new Error(t("It is removed. There is still one from %1.", left));
      return t("The key of %1 is removed.", engine);
    });
  }
}

const name = encodeURIComponent;

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));
