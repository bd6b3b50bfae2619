import assert from "node:assert/strict";
import { test } from "node:test";
import fc, { runs } from "./drawn";
import { parseFragment, type DefaultTreeAdapterTypes } from "parse5";
import { renderWhole } from "../src/markdown/parser";
import { CORPUS, PIECES } from "./corpus";

const TAGS = new Set(
  "p br hr h1 h2 h3 h4 h5 h6 em strong s code pre ul ol li blockquote table thead tbody tr th td a div span".split(" "),
);
const ATTRIBUTES = new Set(
  "href title target rel class start data-language data-kind data-align".split(" "),
);

/** What must not be in the HTML that the parser makes, even before it is sanitised. */
function harm(html: string): string[] {
  const found: string[] = [];
  const visit = (node: DefaultTreeAdapterTypes.Node): void => {
    if (node.nodeName.startsWith("#comment")) found.push("comment");
    if ("tagName" in node) {
      if (!TAGS.has(node.tagName)) found.push(`<${node.tagName}>`);
      for (const { name, value } of node.attrs) {
        if (!ATTRIBUTES.has(name)) found.push(`${node.tagName} ${name}`);
        if (name === "href" && !/^(?:https?:\/\/|mailto:)/.test(value)) found.push(value);
      }
    }
    if ("childNodes" in node) node.childNodes.forEach(visit);
  };
  visit(parseFragment(html));
  return found;
}

const ATTACKS = [
  "<img src=x onerror=alert(1)>",
  "<script>alert(1)</script>",
  "<svg/onload=alert(1)>",
  "</code></pre><img src=x onerror=alert(1)>",
  "[a](javascript:alert(1))",
  "[a](JaVaScRiPt:alert(1))",
  "[a](java&#115;cript:alert(1))",
  "[a](&#1;javascript:alert(1))",
  "[a](data:text/html,<script>alert(1)</script>)",
  "[a](vbscript:x)",
  "[a](file:///etc/passwd)",
  "[a](//e/x)",
  "[a]: javascript:alert(1)\n\n[a]",
  "<javascript:alert(1)>",
  "![a](http://e/x.png)",
  '![a](http://e/x.png"onerror="alert(1))',
  '[a](http://e "x" onclick="alert(1)")',
  '```"onclick="alert(1)\nx\n```',
  "```<img src=x onerror=alert(1)>\nx\n```",
  "$<img src=x onerror=alert(1)>$",
  '$$\n"><script>alert(1)</script>\n$$',
  "\\[<svg onload=alert(1)>\\]",
  "<br onload=alert(1)>",
  "<br/><img src=x onerror=alert(1)>",
  "| <img src=x onerror=alert(1)> |\n|:-:|\n| [a](javascript:alert(1)) |",
  "- [x] <img src=x onerror=alert(1)>",
  "http://e/'onmouseover='alert(1)",
  "<!--><img src=x onerror=alert(1)>-->",
];

for (const attack of ATTACKS) {
  test(`ends as text: ${JSON.stringify(attack)}`, () => {
    for (const around of ["{}", "- {}", "> {}", "a {}", "| {} |\n|---|\n", "**{}**", "`{}", "# {}"]) {
      assert.deepEqual(harm(renderWhole(around.replace("{}", () => attack))), []);
    }
  });
}

test("so does whatever is put together from such pieces", () => {
  const pieces = fc.array(fc.constantFrom(...PIECES, ...ATTACKS, '"', "'", "<", ">", "&"), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(pieces, (found) => {
      assert.deepEqual(harm(renderWhole(found.join(""))), []);
    }),
    { numRuns: runs(3000) },
  );
  for (const text of Object.values(CORPUS)) assert.deepEqual(harm(renderWhole(text)), []);
});
