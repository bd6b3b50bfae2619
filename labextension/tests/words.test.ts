import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packages, Plugin } from "../src/lab/jupyter";
import { worded } from "../src/lab/language";
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

test("a plugin begins in the page's language, with the services that it asked for", () => {
  Object.assign(globalThis, { NAME: "jan-jupyter" });
  const made: unknown[] = [];
  const plugin: Plugin = {
    id: "jan-jupyter:one",
    description: "",
    autoStart: true,
    requires: [],
    optional: ["palette" as unknown as Plugin["optional"][number]],
    activate: (_app, ...services) => void made.push(t("Models of %1", 2), services),
  };
  const packages = { translation: { ITranslator: "translator" } } as unknown as Packages;
  const whole = worded(plugin, packages);
  assert.deepEqual(whole.optional, ["palette", "translator"]);
  whole.activate({}, null, { load: (domain: string) => ({ __: (text: string) => `${domain}: ${text}` }) });
  assert.deepEqual(made, ["jan-jupyter: Models of %1", [null]]);
  assert.equal(worded(plugin, {} as Packages), plugin);
});
