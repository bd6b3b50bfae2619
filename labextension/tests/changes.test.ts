import assert from "node:assert/strict";
import { test } from "node:test";
import fc, { runs } from "./drawn";
import { lines, type Line } from "../src/ui/changes";

const text = (found: Line[], leftOut: Line["kind"]) =>
  found
    .filter(({ kind }) => kind !== leftOut)
    .map(({ runs }) => runs.map((run) => run.text).join(""))
    .join("\n");

const words = fc
  .array(fc.constantFrom("a", "b", "word", " ", "\n", "\n\n", "  x", "🙂"), { maxLength: 40 })
  .map((found) => found.join(""));

test("lines that are the same or removed are the one text, the same or added the other", () => {
  fc.assert(
    fc.property(words, words, (before, after) => {
      const found = lines(before, after);
      assert.equal(text(found, "added"), before);
      assert.equal(text(found, "removed"), after);
    }),
    { numRuns: runs(3000) },
  );
});

test("a line that stays is one line, one that changes two, with the words that differ marked", () => {
  const found = lines("import os\nx = 1\nprint(x)", "import os\nx = 2\nprint(x)");
  assert.deepEqual(found.map(({ kind }) => kind), ["same", "removed", "added", "same"]);
  assert.deepEqual(found[2]!.runs.filter((run) => run.changed).map((run) => run.text.trim()), ["2"]);
});

test("what is put before is added, and moves nothing", () => {
  const found = lines("y = 2\n", "x = 1\ny = 2\n");
  assert.deepEqual(found.filter(({ kind }) => kind === "added").length, 1);
  assert.deepEqual(found.filter(({ kind }) => kind === "removed").length, 0);
});

test("a line at the end is added without a word about the one before", () => {
  assert.deepEqual(
    lines("a = 1", "a = 1\nb = 2").map(({ kind }) => kind),
    ["same", "added"],
  );
});
