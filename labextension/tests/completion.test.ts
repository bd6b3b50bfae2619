// What goes to a model for text at the cursor, where its answer ends, and what is counted.

import assert from "node:assert/strict";
import test from "node:test";
import { asked, type Cell } from "../src/lab/completion/around";
import { counts, moment } from "../src/lab/completion/counting";
import { cut } from "../src/lab/completion/ending";
import { holdsSecret } from "../src/lab/completion/secrets";

const code = (source: string): Cell => ({ source, type: "code" });
const at = (before: string, after = "", line = false, prose = false) => ({ before, after, line, prose });
const text = (raw: string, ...place: Parameters<typeof at>) => cut(raw, at(...place)).text;

test("a text ends with its line where something follows the cursor", () => {
  assert.equal(text("x + y\nreturn", "f(", ")\nz"), "x + y");
  assert.equal(text("x + y)\nreturn", "f(", ")"), "x + y");
  assert.equal(text("a, b)\n", "f(", ") "), "a, b");
  assert.equal(text("1\ny = 2", "x = ", "", true), "1");
  assert.equal(text("1\ny = 2", "x = ", "\ny = 3"), "1\ny = 2");
});

test("a text ends with its block", () => {
  const body = "\n    return a + b";
  assert.deepEqual(cut(`${body}\nprint(1)`, at("def add(a, b):")), { text: body, over: true });
  assert.deepEqual(cut(`${body}\n\n    more`, at("def add(a, b):")), { text: body, over: true });
  assert.deepEqual(cut(`${body}\n  `, at("def add(a, b):")), { text: body, over: false });
  assert.equal(text("a\n    b\nc", "def f():\n    x = "), "a\n    b");
  assert.equal(text("a\n    b\n)", "f(\n    "), "a\n    b\n)");
  assert.equal(text("1\ny = 2\nz = 3", "x = "), "1\ny = 2\nz = 3");
  assert.equal(text("x\n".repeat(99), "x = ").split("\n").length, 12);
  assert.equal(text("one\n two", "Some text, ", "", false, true), "one\n two");
});

test("a text only grows, in whatever pieces it comes", () => {
  const raw = "\n    if a:\n        return b  \n    return c)\nelse:\n";
  for (const place of [at("def f(a):"), at("def f(a", "):"), at("f(", ")", true)]) {
    let before = "";
    let over = false;
    for (let length = 0; length <= raw.length; length++) {
      const now = cut(raw.slice(0, length), place);
      assert.ok(now.text.startsWith(before), `${JSON.stringify(now.text)} after ${JSON.stringify(before)}`);
      assert.ok(!over || (now.over && now.text === before));
      [before, over] = [now.text, now.over];
    }
  }
});

test("a line that a model says again is not written twice", () => {
  assert.equal(text("total = 1", "x = 2\ntotal = "), "1");
  assert.equal(text("total ", "x = 2\ntotal = "), "");
});

test("what hides, or turns round, what stands beside it ends a text", () => {
  assert.deepEqual(cut("a\u202eb", at("x")), { text: "a", over: true });
  assert.deepEqual(cut("a\u0000", at("x")), { text: "a", over: true });
  assert.equal(text("a\r\nb", "x"), "a\nb");
});

test("other cells stand before the cell, in what changes least first", () => {
  const cells = { earlier: [{ source: "Title\ntext", type: "markdown" }, code("import a"), code("%%bash\nls")], later: [code("c()")] };
  assert.deepEqual(asked(at("x", "y"), cells, 1000, false), {
    prompt: "# Title\n# text\n\n\nimport a\n\n\nx",
    suffix: "y\n\n\nc()",
  });
  const prose = asked(at("Now ", "", false, true), cells, 1000, false);
  assert.ok(prose.prompt.startsWith("Title\ntext\n\n\n```\nimport a\n```"));
});

test("its beginning stays where it is while somebody types", () => {
  const earlier = Array.from({ length: 40 }, (_, n) => code(`value_${n} = ${n}`));
  const starts = new Set<string>();
  let source = "";
  for (let typed = 0; typed < 400; typed++) {
    source += typed % 40 ? "x" : "\n";
    const { prompt } = asked(at(source), { earlier, later: [] }, 800, false);
    assert.ok(prompt.length <= 800);
    assert.ok(prompt.endsWith(source) || source.endsWith(prompt));
    starts.add(prompt.slice(0, 10));
  }
  assert.ok(starts.size <= 4, `${starts.size}`);
});

test("what is sent is bounded, however long a cell is", () => {
  const long = "x = 1\n".repeat(10_000);
  const { prompt, suffix } = asked(at(long, long), { earlier: [code(long)], later: [code(long)] }, 1000, false);
  assert.ok(prompt.length + suffix.length <= 1000);
  assert.ok(prompt.length > 300 && suffix.length > 100);
  const one = asked(at("x".repeat(9000)), { earlier: [], later: [] }, 1000, false);
  assert.ok(one.prompt.length <= 1000 && one.prompt.length > 300);
});

test("a cell that holds a key goes to no other machine", () => {
  const cells = { earlier: [code('api_key = "abcd1234efgh"'), code("import a")], later: [] };
  assert.ok(!asked(at("x"), cells, 1000, true).prompt.includes("abcd1234"));
  assert.ok(asked(at("x"), cells, 1000, false).prompt.includes("abcd1234"));
});

for (const secret of [
  'OPENAI_API_KEY = "sk-abcdefghijklmnop1234"',
  "client = OpenAI(api_key='0123456789abcdef')",
  'os.environ["HF_TOKEN"] = "hf_abcdefghijklmnopqrstuv"',
  '{"password": "correct-horse-battery"}',
  "%env SECRET=abcdefghijklmnopqrstuvwxyz123456",
  "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
  "AKIAIOSFODNN7EXAMPLE",
  "-----BEGIN RSA PRIVATE KEY-----",
  'create_engine("postgresql://me:hunter2@db.example.org/x")',
]) {
  test(`a key is seen: ${secret.slice(0, 24)}`, () => assert.ok(holdsSecret(secret)));
}

for (const plain of [
  "for key in keys: print(key)",
  "tokens = tokenizer(text)",
  'key = "name"',
  "d = sorted(items, key=lambda one: one.name_of_something_long)",
  'requests.get("https://example.org/a@b")',
  "token = os.environ['TOKEN_OF_A_SERVICE_IN_THE_CLOUD']",
  "password = getpass.getpass('Password of the account')",
]) {
  test(`no key is seen: ${plain.slice(0, 24)}`, () => assert.ok(!holdsSecret(plain)));
}

test("what was shown and taken is counted by model and by pair", () => {
  const both = () => ({ ...moment(), offered: new Map([["b", 50], ["a", 30]]), shown: new Set(["b"]) });
  const found = counts([
    { ...both(), taken: "b", characters: 7, words: 2 },
    both(),
    { ...moment(), offered: new Map([["a", 100]]), shown: new Set(["a"]) },
  ]);
  assert.deepEqual(found.models, [
    { model: "b", shown: 2, taken: 1, words: 2, characters: 7, seconds: 0.1 },
    { model: "a", shown: 1, taken: 0, words: 0, characters: 0, seconds: 0.1 },
  ]);
  assert.deepEqual(found.pairs, [{ models: ["a", "b"], offered: 2, taken: [0, 1] }]);
});
