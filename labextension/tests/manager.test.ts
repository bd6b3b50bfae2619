import assert from "node:assert/strict";
import { test } from "node:test";
import type { Held, Live, Pull } from "../src/manager/live";
import { pullNote } from "../src/manager/Pulls";
import { noteOf, summaryOf } from "../src/manager/Status";
import type { House } from "../src/manager/protocol";
import { isSource, Store } from "../src/manager/store";
import { size } from "../src/manager/words";

const held = (more: Partial<Held> = {}): Held => ({
  model: "jan-mini",
  engine: "nitro",
  state: "ready",
  memory: 0,
  progress: null,
  busy: 0,
  ours: 0,
  tokens: 0,
  elsewhere: false,
  ...more,
});
const pull = (more: Partial<Pull> = {}): Pull => ({ id: "org/repo", source: "hf:org/repo", done: 25e6, total: 1e8, message: "", running: true, ...more });
const summary = (models: Held[], pulls: Pull[] = []) => summaryOf({ state: "open", held: models, pulls });

test("the bar says the one thing that matters most", () => {
  assert.deepEqual(summary([]), { text: "Jan", state: "none", progress: null });
  assert.equal(summary([held({ memory: 340e6 })]).text, "jan-mini · 340 MB");
  assert.equal(summary([held({ memory: 1e9 }), held({ memory: 2e9 })]).text, "2 models · 3.0 GB");
  const coming = [pull(), pull({ id: "other" })];
  assert.deepEqual(summary([held()], coming), { text: "Fetching org/repo +1 25 %", state: "loading", progress: 0.25 });
  assert.equal(summary([], [pull({ running: false })]).text, "Jan");
  assert.equal(summary([held({ busy: 1, memory: 340e6 })], coming).text, "jan-mini answers · 340 MB");
  assert.equal(summary([held({ busy: 1 }), held({ busy: 2 })]).text, "2 models answer");
  const loading = held({ state: "loading", progress: 0.4 });
  assert.deepEqual(summary([held({ busy: 1 }), loading]), { text: "Loading jan-mini 40 %", state: "loading", progress: 0.4 });
  assert.equal(summary([held({ state: "loading" })]).progress, undefined);
  assert.equal(summaryOf({ state: "absent", held: [], pulls: [] }).text, "Jan: not on this server");
});

test("what is said of one model, and of one that is being fetched", () => {
  assert.equal(noteOf(held({ busy: 1, ours: 1, tokens: 12 })), "answers · 12 tokens");
  assert.equal(noteOf(held({ busy: 2 })), "writes 2 answers · asked elsewhere");
  assert.equal(pullNote(pull()), "25 % · 25 MB of 100 MB");
  assert.equal(pullNote(pull({ message: "25% · 3 MB/s" })), "25% · 3 MB/s");
  assert.equal(pullNote(pull({ running: false, total: 0 })), "stopped · 25 MB");
  assert.deepEqual([999, 12_300, 2.94e6, 3.4e8, 4.7e9].map(size), ["999 B", "12 KB", "2.9 MB", "340 MB", "4.7 GB"]);
});

test("a source is told from words", () => {
  for (const text of ["hf:org/repo", " pypi:package", "https://host/a.gguf", "Ollama:llama3.2:1b"]) assert.ok(isSource(text));
  for (const text of ["", "llama", "qwen 0.6b", "hf"]) assert.ok(!isSource(text));
});

/** A server whose answers wait until they are let go. */
function slow() {
  const waiting = new Map<string, (value: unknown) => void>();
  const wait = (path: string) => new Promise((resolve) => waiting.set(path, resolve));
  const house = { get: wait, send: (method: string, path: string) => wait(`${method} ${path}`) } as unknown as House;
  let told = () => {};
  const live = { pulls: [], held: [], state: "open", watch: (watcher: () => void) => ((told = watcher), () => {}), listen: () => () => {} };
  const answer = async (path: string, value: unknown) => {
    waiting.get(path)!(value);
    await new Promise(setImmediate);
  };
  const store = new Store(house, live as unknown as Live);
  store.wake();
  return { store, live, answer, tell: () => told() };
}

test("what is found stays found, whatever is loaded meanwhile", async () => {
  const { store, live, answer, tell } = slow();
  const models = "models?all=true&details=true";
  store.open("installed");
  await answer(models, { data: [] });
  store.open("get");
  Object.assign(live, { held: [held()] });
  tell();
  await answer("hub?q=", { data: [{ source: "hf:org/repo" }], remark: "" });
  assert.equal(store.found?.length, 1);
});

test("a key that is kept is asked for no more, whatever is looked at meanwhile", async () => {
  const { store, answer } = slow();
  const row = { engine: "openai", host: "", source: "", kept: false, hint: "" };
  store.open("keys", "openai");
  await answer("keys", { data: [row] });
  const kept = store.setKey(row, () => "secret");
  store.open("engines");
  await answer("PUT keys/openai", {});
  await answer("keys", { data: [{ ...row, source: "keyring", kept: true }] });
  assert.ok(await kept);
  assert.equal(store.wanted, "");
  assert.equal(store.keys?.[0]?.kept, true);
});
