import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc, { runs } from "./drawn";
import { compareLine, others } from "../src/reply/others";
import { fenced, plainText } from "../src/reply/plain";
import { CONVERSATION, conversationIn, REPLY, replyIn } from "../src/reply/protocol";
import { Reveal } from "../src/reply/reveal";
import { CORPUS } from "./corpus";

test("whatever a notebook holds as a form can be drawn", () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (form, plain) => {
      const reply = replyIn({ [REPLY]: form, "text/plain": plain });
      assert.ok(reply.answers.every(({ text, reasoning }) => typeof text === "string" && typeof reasoning === "string"));
      assert.ok(reply.footer.every((part) => typeof part === "string"));
      conversationIn({ [CONVERSATION]: form, "text/plain": plain });
    }),
    { numRuns: runs(2000) },
  );
  const odd = { format: 1, status: "x", parts: [{ at: [-5, 1e9] }, { at: ["a"] }, 7, { text: 3 }], footer: [1, "a"], name: "x; y" };
  const reply = replyIn({ [REPLY]: odd, "text/plain": "plain" });
  assert.equal(reply.status, "done");
  assert.deepEqual(reply.answers.map(({ text }) => text), ["plain", "", "plain", "plain"]);
  assert.deepEqual(reply.footer, ["a"]);
  assert.equal(reply.name, "");
  assert.deepEqual(replyIn({ [REPLY]: { wait: "Loading" }, "text/plain": "Loading" }).answers, []);
});

test("a text is let in over the time until the next is expected, and at once at its end", () => {
  let now = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  const pass = (time: number) => {
    for (let gone = 0; gone < time; gone += 40) {
      now += 40;
      mock.timers.tick(40);
    }
  };
  const reveal = new Reveal(() => now);
  let drawn = 0;
  reveal.read(() => drawn++);
  const text = "word ".repeat(800);
  reveal.take(text, false); // 4,000 letters: the next come in 150 ms
  const first = reveal.value.text.length;
  assert.ok(first > 0 && first < 2000);
  pass(80);
  assert.ok(reveal.value.text.length > first && reveal.value.text.length < text.length);
  assert.ok(text.startsWith(reveal.value.text));
  pass(80);
  assert.deepEqual(reveal.value, { text, done: false });
  const before = drawn;
  pass(400);
  assert.equal(drawn, before); // nothing is drawn while nothing comes
  reveal.take(`${text}more`, false, true);
  assert.equal(reveal.value.text, `${text}more`);
  reveal.take(`${text}${text}`, true);
  assert.deepEqual(reveal.value, { text: `${text}${text}`, done: true });
  reveal.take("something else", false);
  assert.equal(reveal.value.text, "something else");
  mock.timers.reset();
});

test("no character is cut in two", () => {
  let now = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  const reveal = new Reveal(() => now);
  reveal.take("😀".repeat(1000), false);
  while (reveal.value.text.length < 2000) {
    assert.doesNotMatch(reveal.value.text, /[\ud800-\udbff]$/);
    now += 7;
    mock.timers.tick(40);
  }
  mock.timers.reset();
});

test("Markdown as text", () => {
  const markdown =
    "# Title\n\nSome **bold** [link](https://e.org/x) and `code`.\n\n- one\n  1. two\n  2. more\n- three\n\n" +
    "```py\nx = 1\n\ny = 2\n```\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n> quoted\n\n$$x^2$$";
  assert.equal(
    plainText(markdown),
    "Title\n\nSome bold link (https://e.org/x) and code.\n\n- one\n  1. two\n  2. more\n- three\n\n" +
      "x = 1\n\ny = 2\n\na\tb\n1\t2\n\nquoted\n\nx^2",
  );
  for (const text of Object.values(CORPUS)) plainText(text);
  assert.equal(fenced("a\n```\nb", "py"), "````py\na\n```\nb\n````");
});

test("what is written into a cell is one name and nothing else", () => {
  const reply = replyIn({ [REPLY]: { model: "own", engine: "nitro", name: "0123abcd" } });
  const model = (id: string) => ({ id, name: id, engine: "e" });
  const odd = ["a\n!rm", "--of", "{x}", "a'b", "a;b", "$(x)", "", "%x", "a?"];
  const good = ["qwen3-0.6b", "nitro:other", "meta-llama/Llama-3.3", "modèle", "a b"];
  const all = [...odd, ...good, "own", "nitro:own"].map(model);
  assert.deepEqual(others(all, reply).map(({ id }) => id), good);
  assert.equal(compareLine("a/b", reply.name), "%jan compare with a/b --of 0123abcd");
  assert.equal(compareLine("a b", reply.name), '%jan compare with "a b" --of 0123abcd');
  for (const id of odd) assert.throws(() => compareLine(id, reply.name));
});
