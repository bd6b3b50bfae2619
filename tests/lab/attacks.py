"""What a model might say to make a page run or fetch something, and what may be in the page."""

from __future__ import annotations

from test_markdown import PAYLOADS

MATH = [
    r"$\href{javascript:alert(1)}{x}$",
    r"$\url{javascript:alert(1)}$",
    r"$\includegraphics{http://e/x.png}$",
    r"$\class{x}{y}\style{background:url(http://e/x)}{z}$",
    r"$\htmlData{onclick=alert(1)}{x}$",
    r"$\text{<img src=x onerror=alert(1)>}$",
    r"$$\require{html}\cssId{x}{y}$$",
    "$<img src=x onerror=alert(1)>$",
    "$$\n<script>alert(1)</script>\n$$",
    r"\(\unicode{<img src=x onerror=alert(1)>}\)",
]
FENCES = [
    '```"><img src=x onerror=alert(1)>\nx\n```',
    "```html\n<img src=x onerror=alert(1)>\n```",
    "```javascript\nalert(1)\n```",
    "```svg\n<svg onload=alert(1)>\n```",
    "| <img src=x onerror=alert(1)> |\n|---|\n| ![a](http://e/x.png) |",
    "- [x] <img src=x onerror=alert(1)>",
    "<br onload=alert(1)>",
    "<br/ onclick=alert(1)>",
    "![a](data:text/html,<script>alert(1)</script>)",
    "[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
]
TEXTS = [
    text.replace("alert(", "(window.pwned=1)+(")
    for text in (*PAYLOADS, *(f"> - {payload}" for payload in PAYLOADS), *MATH, *FENCES)
]
"""Each sets `window.pwned` if it runs."""

ALLOWED = {
    *("P", "BR", "HR", "H1", "H2", "H3", "H4", "H5", "H6", "EM", "STRONG", "S", "CODE", "PRE"),
    *("UL", "OL", "LI", "BLOCKQUOTE", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "A", "DIV"),
    *("SPAN", "BUTTON"),
}
"""Elements that Markdown becomes."""

OURS = {
    *("SECTION", "HEADER", "FOOTER", "ARTICLE", "B", "SMALL", "KBD", "Q", "INS", "DEL"),
    *("I", "DL", "DT", "DD", "LABEL", "INPUT", "SELECT", "OPTION", "FIELDSET", "LEGEND"),
    *("PROGRESS", "TEXTAREA", "svg", "path", "line", "circle"),
}
"""Elements of our views, around what Markdown becomes."""

FAULTS = """([tag, said, ours]) => {
  const found = [];
  const views = [...document.querySelectorAll(tag)];
  for (const e of views.flatMap(one => [...one.shadowRoot.querySelectorAll("*")])) {
    const math = e.namespaceURI.endsWith("MathML");
    const inMarkdown = e.closest(".md") !== null;
    const fault = (...what) => found.push([e.tagName, ...what]);
    if (!math && !said.includes(e.tagName) && (inMarkdown || !ours.includes(e.tagName))) fault();
    for (const { name, value } of e.attributes) {
      if (/^(on|data-commandlinker|srcdoc)/.test(name)) fault(name, value);
      if (name === "style" && !math && (inMarkdown || value.includes("url("))) fault(name, value);
      if (/^(href|src|xlink:href|action|formaction|data)$/.test(name)
        && (e.tagName !== "A" || !/^(https?:\\/\\/|mailto:)/.test(value))) fault(name, value);
    }
    if (e.tagName === "A" && e.rel !== "noopener noreferrer") fault("rel", e.rel);
  }
  if (window.pwned !== undefined) found.push("it ran");
  return found;
}"""
"""JavaScript: what stands in a tag's views and may not; gets `ALLOWED`, and that with `OURS`."""
