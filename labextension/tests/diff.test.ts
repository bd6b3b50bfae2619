import assert from "node:assert/strict";
import { test } from "node:test";
import fc, { runs } from "./drawn";
import { alike, parting, parts, type Part } from "../src/compare/diff";

const before = (found: Part[]) => found.filter((one) => one.kind !== "added").map((one) => one.text).join("");
const after = (found: Part[]) => found.filter((one) => one.kind !== "removed").map((one) => one.text).join("");

function sound(old: string, now: string): Part[] {
  const found = parts(old, now);
  assert.equal(before(found), old);
  assert.equal(after(found), now);
  found.forEach((part, at) => {
    assert.notEqual(part.text, "");
    const next = found[at + 1];
    if (!next) return;
    assert.notEqual(part.kind, next.kind);
    assert.ok(!(part.kind === "added" && next.kind === "removed"), "removed stands before added");
  });
  return found;
}

const words = fc
  .array(fc.constantFrom("a", "b", "word", "Übel", "7", ".", ",", " ", "  ", "\n", "\n\n", "\t", "🙂", "\ud83d"), { maxLength: 60 })
  .map((found) => found.join(""));

test("what is the same and removed is the one text, what is the same and added the other", () => {
  fc.assert(fc.property(words, words, (old, now) => void sound(old, now)), { numRuns: runs(3000) });
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (old, now) => void sound(old, now)));
});

test("a small change of a long text is all that is marked", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("one ", "two ", "three\n"), { minLength: 3, maxLength: 300 }), fc.nat(), (many, at) => {
      const place = at % many.length;
      const now = [...many.slice(0, place), "NEW ", ...many.slice(place)];
      assert.deepEqual(
        sound(many.join(""), now.join("")).filter((one) => one.kind !== "same"),
        [{ kind: "added", text: "NEW " }],
      );
    }),
  );
});

test("it is the shortest way, as far as words go", () => {
  const word = fc.constantFrom("one", "two", "three");
  const many = fc.array(word, { maxLength: 12 });
  fc.assert(
    fc.property(many, many, (old, now) => {
      const found = parts(old.join(" "), now.join(" "));
      const same = found.filter((one) => one.kind === "same").flatMap((one) => one.text.split(/\s+/).filter(Boolean));
      assert.equal(same.length, common(old, now));
    }),
  );
  assert.deepEqual(parts("the quick brown fox", "the slow brown fox"), [
    { kind: "same", text: "the " },
    { kind: "removed", text: "quick " },
    { kind: "added", text: "slow " },
    { kind: "same", text: "brown fox" },
  ]);
});

/** The length of a longest common subsequence. */
function common(a: string[], b: string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const one of a) {
    const next = [0];
    b.forEach((other, at) => next.push(one === other ? row[at]! + 1 : Math.max(row[at + 1]!, next[at]!)));
    row = next;
  }
  return row[b.length]!;
}

test("the cost of a diff is bounded, whatever the texts", () => {
  const one = Array.from({ length: 20_000 }, (_, n) => `w${n % 97}`).join(" ");
  const other = Array.from({ length: 20_000 }, (_, n) => `w${(n * 31) % 89}`).join(" ");
  sound(one, other);
  const lined = Array.from({ length: 3000 }, (_, n) => `line ${n} of the text\n`);
  const changed = lined.map((line, n) => (n % 40 ? line : line.replace("text", "TEXT")));
  const found = sound(lined.join(""), changed.join(""));
  assert.ok(alike(found));
  assert.equal(found.filter((part) => part.kind === "added").length, 75);
});

test("where two texts part", () => {
  assert.deepEqual(parting("a b c d e f g", "a b X d e f g"), { word: 3, left: "c d e f", right: "X d e f" });
  assert.deepEqual(parting("a b", "a b c"), { word: 3, left: "", right: "c" });
  assert.deepEqual(parting("", ""), { word: 1, left: "", right: "" });
});

test("marks on texts with little in common would tell nothing", () => {
  assert.ok(!alike(parts("Rome is the capital of Italy", "No idea, my friend, no idea at all")));
  assert.ok(alike(parts("Rome is the capital of Italy", "Rome is a capital of Italy")));
});
