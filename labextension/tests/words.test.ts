import assert from "node:assert/strict";
import { test } from "node:test";
import { around, t, translateBy } from "../src/words";

test("what is drawn stands in its places, in whichever order the language has them", () => {
  assert.deepEqual(around("%2 before %1.", "a", "b"), ["", "b", " before ", "a", "."]);
  assert.deepEqual(around("none"), ["none"]);
});

test("a text stands as it is, with its values, until a page has other words for it", () => {
  assert.equal(t("%2 of %1", 10, "three"), "three of 10");
  assert.equal(t("100 % of $1"), "100 % of $1");
  assert.equal(t("%1", "$& %1"), "$& %1"); // a value is nothing but that
  translateBy((text, ...values) => `${text.toUpperCase()} ${values}`);
  assert.equal(t("of %1", 3), "OF %1 3");
});
