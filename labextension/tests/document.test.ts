import assert from "node:assert/strict";
import { test } from "node:test";
import fc, { runs } from "./drawn";
import { closed } from "../src/markdown/close";
import { MarkdownDocument } from "../src/markdown/document";
import { codeHtml, renderWhole } from "../src/markdown/parser";
import { CORPUS, PIECES } from "./corpus";

/** What the blocks show, put together. */
function html(document: MarkdownDocument, close = false): string {
  const { tail } = document.render(close);
  return [...document.finished, ...tail]
    .map((b) => (b.code ? codeHtml(b.code.text, b.code.language) : b.html))
    .join("")
    .replace(/\n/g, "");
}

const whole = (text: string) => renderWhole(text).replace(/\n/g, "");

for (const [name, text] of Object.entries(CORPUS)) {
  test(`every prefix is shown as a whole parse shows it: ${name}`, () => {
    const document = new MarkdownDocument();
    for (let i = 1; i <= text.length; i++) {
      document.append(text[i - 1]!);
      if (text[i - 1] === "\r") continue; // may be half of a line break
      assert.equal(html(document), whole(text.slice(0, i)), JSON.stringify(text.slice(0, i)));
    }
    assert.equal(html(document), whole(text));
  });
}

test("also for generated documents, in pieces of any size", () => {
  const documents = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 });
  fc.assert(
    fc.property(documents, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (pieces, sizes) => {
      const text = pieces.join("");
      const document = new MarkdownDocument();
      for (let at = 0, i = 0; at < text.length; i++) {
        const next = Math.min(text.length, at + sizes[i % sizes.length]!);
        document.append(text.slice(at, next));
        at = next;
        if (text[at - 1] !== "\r") assert.equal(html(document), whole(text.slice(0, at)));
      }
    }),
    { numRuns: runs(3000) },
  );
});

test("finished blocks are parsed once: the work for a long answer is linear", () => {
  const document = new MarkdownDocument();
  const text = Object.values(CORPUS).slice(0, 3).join("\n\ntext\n\n");
  let most = 0;
  for (let i = 0; i < 50; i++) {
    document.append(`${text}\n\nparagraph ${i}\n\n`);
    most = Math.max(most, document.render().tail.length);
  }
  assert.ok(most <= 2);
  assert.ok(document.finished.length > 500);
});

test("an open fence of any length is not parsed", () => {
  const document = new MarkdownDocument();
  document.append("before\n\n```python\n");
  for (let i = 0; i < 1000; i++) {
    document.append(`x = ${i}\n`);
    const { tail } = document.render();
    assert.equal(tail.length, 1);
    assert.equal(tail[0]!.code?.open, true);
  }
  document.append("```\nafter\n");
  document.render();
  assert.equal(document.finished.at(-1)!.code?.text.split("\n").length, 1001);
});

for (const [begun, shown] of [
  ["**bo", "**bo**"],
  ["a **", "a "],
  ["a **b*", "a **b**"],
  ["`co", "`co`"],
  ["a `", "a "],
  ["see [text](http://exa", "see text"],
  ["see ![alt](http://exa", "see alt"],
  ["~~x ", "~~x~~ "],
  ["- a **b**\n- c **d", "- a **b**\n- c **d**"],
  ["done **b**", "done **b**"],
  ["`**` and", "`**` and"],
  ["```py\nx = **", "```py\nx = **"],
  ["2 * 3 and \\**", "2 * 3 and \\**"],
] as const) {
  test(`markup that has only begun is closed: ${JSON.stringify(begun)}`, () => {
    assert.equal(closed(begun), shown);
  });
}
