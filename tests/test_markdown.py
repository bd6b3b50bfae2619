"""Nothing harmful comes out, whatever goes in; and what is harmless comes out as it went in.

markdown-it-py with HTML on and its own link check off stands for all renderers.
"""

from __future__ import annotations

import re
import sys
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jan_jupyter.markdown import (
    BOX,
    CodeBlock,
    SafeMarkdown,
    code_blocks,
    page,
    safe,
    with_footer,
    words,
)

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
RENDERER.validateLink = lambda url: True  # type: ignore[method-assign]
TAGS = re.compile(
    "p|h[1-6]|em|strong|s|code|pre|[uo]l|li|blockquote|table|thead|tbody|tr|th|td|a|[bh]r|small|div|jan-copy"
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "ol": {"start"},
    "th": {"style"},
    "td": {"style"},
    "small": {"style"},
    "div": {"style"},
    "jan-copy": {"role", "title", "style", "onclick"},
}


class Findings(HTMLParser):
    """What a page must not hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not TAGS.fullmatch(tag):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, ()):
                self.found.append(f"<{tag} {name}>")
            if name == "href":
                plain = re.sub(r"[\0-\x20]", "", unquote(unescape(value or "")))
                scheme = re.match(r"([^/?#]*?):", plain)
                if scheme and scheme[1].lower() not in ("http", "https", "mailto"):
                    self.found.append(f"href={value}")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"<!{decl}")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"<?{data}")


def harm(markdown: str) -> list[str]:
    return Findings(RENDERER.render(markdown)).found


def fences(markdown: str) -> list[str]:
    """The code in the fences that the renderer sees."""
    return [t.content.removesuffix("\n") for t in RENDERER.parse(markdown) if t.type == "fence"]


# -- nothing harmful ------------------------------------------------------------------------------

IMG = "<img src=x onerror=alert(1)>"
JS = "javascript:alert(1)"
HTML = [
    IMG,
    "<script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "<details open ontoggle=alert(1)>",
    '<object data="data:text/html,<script>alert(1)</script>">',
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?php <img src=x onerror=alert(1)> ?>",
    "<img\nsrc=x\nonerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<x\x0conclick=alert(1)>a",
    '<meta http-equiv=refresh content="0;url=http://e">',
    "<base href=http://e>",
    "<style>@import 'http://e'</style>",
    "<input autofocus onfocus=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<code onclick=alert(1)>",
    "</p><img src=x onerror=alert(1)>",
]
# From the lists that people who look for such holes pass around: events without a click, odd
# quotes, other namespaces, tags that change how the rest is read.
HTML += [
    "<body onload=alert(1)>",
    "<body onpageshow=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<video src=x onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<audio autoplay onloadstart=alert(1) src=x></audio>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<keygen autofocus onfocus=alert(1)>",
    "<form><button formaction=javascript:alert(1)>x</button></form>",
    "<form id=f></form><button form=f formaction=javascript:alert(1)>x</button>",
    "<isindex action=javascript:alert(1) type=image>",
    "<embed src=javascript:alert(1)>",
    "<embed code=data:text/html,<script>alert(1)</script>>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<link rel=import href=data:text/html,<script>alert(1)</script>>",
    "<table background=javascript:alert(1)></table>",
    "<div style=background-image:url(javascript:alert(1))>",
    "<div style=width:expression(alert(1))>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
    "<svg><a><animate attributeName=href values=javascript:alert(1) /><text y=9>x</text></a></svg>",
    "<svg><set onbegin=alert(1) attributeName=x></svg>",
    "<svg><foreignObject><img src=x onerror=alert(1)></foreignObject></svg>",
    "<svg><use href=data:image/svg+xml;base64,PHN2Zy8+#x></use></svg>",
    "<math><a xlink:href=javascript:alert(1)>x</a></math>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table>",
    "<template><img src=x onerror=alert(1)></template>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<title><img src=x onerror=alert(1)></title>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe onload=alert(1)></iframe>",
    "<img src='x'onerror='alert(1)'>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    '<img """><script>alert(1)</script>">',
    "<<script>alert(1)//<</script>",
    "<a onmouseover=alert(1)>x</a>",
    "<div id=x tabindex=1 onfocusin=alert(1)></div>",
    "<p onanimationstart=alert(1) style=animation-name:x>",
]
TARGETS = [
    JS,
    f" {JS}",
    f"\n{JS}",
    f"<{JS}>",
    f"<{JS}> 't'",
    f'{JS} "t"',
    "JaVaScRiPt:alert(1)",
    "java&#115;cript:alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#x3A;alert(1)",
    "javascript%3Aalert(1)",
    "javascript%253Aalert(1)",
    "%6aavascript:alert(1)",
    "java\\script:alert(1)",
    "javascript\\:alert(1)",
    "&#1;javascript:alert(1)",
    "\x01javascript:alert(1)",
    "java&Tab;script:alert(1)",
    "java&NewLine;script:alert(1)",
    "\u00a0javascript:alert(1)",
    "\ufeffjavascript:alert(1)",
    "vbscript:x",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "javascript://x%0aalert(1)",
]
IMAGES = [
    "![a](http://e/x.png)",
    "![](http://e/x.png)",
    '![a](<http://e/x.png> "t")',
    "![a][b]\n\n[b]: http://e/x.png",
    "![b]\n\n[b]: http://e/x.png",
    "![a\nb](http://e/x.png)",
    "\\\\![a](http://e/x.png)",
    "![a[b]](http://e/x.png)",
    "![`a`](http://e/x.png)",
    f"[![a](http://e/x.png)]({JS})",
]
# Each tries to make a renderer see the fence elsewhere than we do.
FENCES = [
    f"```\nx\n```~~\n{IMG}\n```",
    f"- a\n  ```\n {IMG}\n  ```",
    f"- ```\n{IMG}\n```",
    f"- [ ] ```\n  {IMG}\n  ```",
    f"> ```\n{IMG}\n> ```",
    f"+ > ```\n  > {IMG}",
    f"[foo\n```\n]: http://x\n{IMG}\n```\n```",
    f"- [foo\n  ```\n  ]: http://x\n  {IMG}\n  ```",
    f'[foo]: http://x "\n```\n"\n{IMG}\n```',
    f'[foo]: http://x\n"\n```\n"\n{IMG}\n```',
    f"[foo]: http://x (\n```\n)\n{IMG}\n```",
    f"| a |\n|---|\n```\n{IMG}\n```",
    f"<div>\n```\n{IMG}\n```\n</div>",
    f"<!--\n```\n-->\n{IMG}\n```",
    f"\t```\n\t{IMG}\n\t```\n{IMG}",
    f"    ```\n{IMG}\n        ```\n    ```",
    f"-\t```\n\t{IMG}",
    f"10. a\n\n    ```\n    {IMG}\n```",
    f"```\x0b{IMG}",
    f"```\r{IMG}\r```\r{IMG}",
    f"```\u2028{IMG}\n```",
    f"```\x85```\n{IMG}",
    f"`\x00``\n{IMG}",
    f"~~~ `{IMG}`\nx\n~~~",
    f"```{IMG}\nx\n```",
    f"``` a ``` {IMG}",
    f"`a\n{IMG}`",
    f"[^1]: a\n\n    ```\n    {IMG}\n    ```",
]
SURROUNDINGS = [
    "{}",
    "- {}",
    "1. {}",
    "> {}",
    "a {}",
    "a\n{}",
    "# {}",
    "| a |\n|---|\n| {} |",
    "```\nx\n```\n{}",
    "```\n{}\n```",
    "- a\n\n  ```\n  {}\n  ```",
    "$$\n{}\n$$",
    "$x {}$",
    "\\[ {}",
    "`\n{}",
    "`` {}",
    "`{}`",
    "``` {}",
    "    {}",
    "[a\n{}",
    "<div\n{}",
    "\\{}",
    "**{}**",
]
# JupyterLab runs the command that a clicked element names; its sanitiser lets such buttons pass.
RUN = 'data-commandlinker-command="notebook:run-all-cells"'
COMMANDS = [
    f"<button {RUN}>a</button>",
    f"<BUTTON\n{RUN} data-commandlinker-args='{{}}'>a",
    f"[a](x){{{RUN}}}",
    f"# a {{{RUN}}}",
    f"[a](x '{RUN}')",
    "[a](commandlinker:notebook:run-all-cells)",
    f"```py {{{RUN}}}\nx\n```",
    "$\\htmlData{commandlinker-command=notebook:run-all-cells}{x}$",
    f"$\\mmlToken{{mi}}[{RUN}]{{x}}$",
    f"$\\text{{<button {RUN}>a</button>}}$",
]
PAYLOADS = [
    *HTML,
    *COMMANDS,
    *IMAGES,
    *FENCES,
    *(f"[a]({target})" for target in TARGETS),
    *(f"[a]: {target}\n\n[a] [b][a]" for target in TARGETS),
    f"[x\ny]: {JS}\n\n[x y]",
    f"> [a]: {JS}\n\n[a]",
    f"[^1]: [a]: {JS}\n\n[a]",
    f"<{JS}>",
    f"`[a]`({JS})",
    f"[`a`]({JS})",
    f"`a](`{JS})",
    f"[a`]({JS})`",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_known_attacks_end_as_text(payload: str) -> None:
    for surrounding in SURROUNDINGS:
        assert harm(safe(surrounding.replace("{}", payload))) == []


@pytest.mark.parametrize(
    "payload", [*HTML[:3], *HTML[4:9], *IMAGES[:5], *(f"[a]({target})" for target in TARGETS[4:8])]
)
def test_the_oracle_sees_them(payload: str) -> None:
    assert harm(payload)


# JupyterLab cuts formulas out before it parses and puts them back into the finished HTML; with a
# quote in them they end an attribute. So none may begin within anything that becomes an attribute.
@pytest.mark.parametrize(
    "text",
    [
        'http://x/$"onmouseover="alert(1)"$',
        'www.x.com/\\\\("onmouseover="alert(1)"\\\\)',
        'http://x/`$"onmouseover="alert(1)"$`',
        '[a](http://x/$"onmouseover="alert(1)"$)',
        '[a](http://x "$"onmouseover="alert(1)"$")',
        '[a]: http://x/$"onmouseover="alert(1)"$\n\n[a]',
        '[a]: http://x\n"$"onmouseover="alert(1)"$"\n\n[a]',
        "<http://x/$'onmouseover='alert(1)$>",
    ],
)
def test_no_formula_begins_in_an_attribute(text: str) -> None:
    markdown = safe(text)
    assert harm(markdown) == []
    assert not re.search(r"(?:://|www\.)\S*[$\\]", markdown)
    assert not re.search(r"""\]\([^)]*\$|\]:.*\s["'][^\n]*\$""", markdown)


def test_the_mark_of_a_formula_cannot_be_forged() -> None:
    assert RENDERER.render(safe("@\\@0@@")) == "<p>@\\@0@@</p>\n"
    for text in ("[a](http://x/@\\@0@@)", '[a](http://x "@\\@0@@")', "[a]: x/@\\@0@@\n\n[a]"):
        assert "@@0@@" not in unescape(RENDERER.render(safe(text)))


@pytest.mark.parametrize(
    ("opens", "ends"), [("$$", "$$"), ("\\[", "\\]"), ("\\begin{a}", "\\end{a}")]
)
def test_a_formula_left_open_cannot_end_in_code(opens: str, ends: str) -> None:
    markdown = safe(f"{opens}\n```\n{ends}\n{IMG}\n```")
    assert IMG not in markdown
    assert unescape(markdown.split("<pre><code>")[1]).startswith(f"{ends}\n{IMG}")


# Formulas and diagrams that make a browser ask a server of their choice, shown as they are.
FETCH = "//evil.example"
FONT = f"[x;background:url({FETCH})]{{65}}"
CURSOR = f"{{cursor:url({FETCH}),auto}}{{x}}"
QUOTED = f"""red;font-family:'a";background:url({FETCH});x:"b'"""
FORMULAS = [
    f"\\unicode{FONT}",
    f"\\unicode {FONT}",
    f"x\\\\\\unicode{FONT}",
    f"\\text{{a \\unicode{FONT}}}",
    f"\\let\\q=\\unicode \\q{FONT}",
    f"\\newcommand{{\\q}}{{\\unicode}} \\q{FONT}",
    f'\\mmlToken{{mi}}[fontfamily="x;background:url({FETCH})"]{{x}}',
    f'\\mmlToken{{mglyph}}[src="{FETCH}"]{{}}',
    f"\\style{CURSOR}",
    f"\\style\n{CURSOR}",
    f"\\def\\q{{\\style}}\\q{CURSOR}",
    f"\\style{{{QUOTED}}}{{x}}",
    f"\\bbox[{QUOTED.removeprefix('red;')}]{{x}}",
    f"\\fcolorbox{{{QUOTED}}}{{blue}}{{x}}",
    "\\href{java\tscript:window.pwned=1}{x}",
]
PLACES = [
    "${}$",
    "$ {} $",
    "$$\n{}\n$$",
    "\\[{}\\]",
    "\\\\({}\\\\)",
    "\\begin{align}\n{}\n\\end{align}",
    "a $x\ny {}$",
    "# ${}$",
    "> ${}$",
    "| a | b |\n|---|---|\n| ${}$ | $x |y$ |",
    "[${}$](http://e)",
    "`$`{}`$`",
    "$ `{}` $",
    "\\`${}$\\`",
    "**$**{}**$**",
    "[^1]: ${}$",
    "a $b {} <b>$ [x](javascript:1)",
    "&#36;{}&#36;",
    "&#36;\\{}&#36;",
    "<b>`[x`](javascript:1) &#36;{}&#36;",
    "$$\n```\n{}\n```\n$$",
]
DIAGRAMS = [
    f'{fence}{info}\nflowchart LR\n A@{{ img: "{FETCH}", label: "x", h: 60 }}\n{fence}'
    for fence in ("```", "~~~")
    for info in ("mermaid", " Mermaid", "{mermaid}", "{.mermaid}", "mermaid-x", "mermaid title='x'")
]
CALLS_HOME = [
    *(place.replace("{}", formula) for place in PLACES for formula in FORMULAS),
    f"&#36;&#92;unicode{FONT}&#36;",
    f"&#36;&#x005C;unicode{FONT}&#36;",
    f"&#36;&bsol;unicode{FONT}&#36;",
    f"&#36;\\u&#110;icode{FONT}&#36;",
    f"&#36;\\\\&#117;nicode{FONT}&#36;",
    *DIAGRAMS,
]
STYLING = r"\\(?:unicode|mmlToken|style|bbox|fcolorbox|href)(?![A-Za-z])"


@pytest.mark.parametrize("text", CALLS_HOME)
def test_no_formula_and_no_diagram_calls_home(text: str) -> None:
    markdown = safe(text)
    assert "mermaid" not in markdown
    # JupyterLab takes formulas out of the Markdown; what else it finds is in the finished page.
    page = unescape(re.sub(r"(?s)<code.*?</code>", "", RENDERER.render(markdown)))
    assert not re.search(STYLING, page)
    for formula in re.findall(r"(?s)\$.*\$", re.sub(r"(?s)<code>.*?</code>", "", markdown)):
        assert not re.search(STYLING, formula)


def test_code_about_formulas_stays_as_it_is() -> None:
    assert safe("`\\href`") == "<code>&#92;href</code>"
    for text in ("```tex\n$\\style{x}$\n```", "`C:\\Style`", "$\\displaystyle x$", "`&#65;`"):
        assert safe(text) == text


@pytest.mark.parametrize("payload", [*PAYLOADS, *DIAGRAMS, *SURROUNDINGS])
def test_a_page_boxes_the_code_and_nothing_else(payload: str) -> None:
    for surrounding in SURROUNDINGS:
        text = safe(surrounding.replace("{}", payload))
        shown = page(text)
        assert harm(shown) == []
        assert shown.count(BOX) == shown.count("<jan-copy") == len(fences(shown))
        assert fences(shown) == fences(text)


PIECES = st.sampled_from(
    [
        *["`", "``", "```", "````", "~~~", "```py", "$", "$$", "-", ">", "*", "|", "!", "#"],
        *["\\", "\\\\", "\\(", "\\)", "\\[", "\\]", "\\begin{a}", "\\end{a}"],
        *["- ", "1. ", "> ", "- [ ] ", "  ", "    ", "\t", "\n", "\n", "\n", "\n\n", "\r\n", "\r"],
        *["[a](", "](", "[", "]", "]:", "[a]: ", "[a]", "![a](", "(", ")", '"', "'", ": ", ":::"],
        *[JS, IMG, "<b>", "<!--", "-->", "</code>", "http://x", "www.x", "<http://x>", "@@0@@"],
        *["\\unicode", "&#92;", "style", "&#115;tyle", "\\", "&#36;"],
        *["&lt;", "&#58;", "a", "x y", "| a |\n|---|\n", "---\n", "===\n", "[^1]: ", "\x0b", "\0"],
    ]
)
TEXTS = st.lists(PIECES, max_size=24).map("".join)


@settings(max_examples=2500, deadline=None)
@given(TEXTS)
@example("[a\n```\n]: http://x\n<b>")
def test_whatever_a_model_says_is_harmless(text: str) -> None:
    markdown = safe(text)
    assert harm(markdown) == []
    outside_code = re.sub(r"(?s)<code.*?</code>", "", RENDERER.render(markdown))
    assert not re.search(STYLING, unescape(outside_code))
    assert not re.search(r"[\0\x0b\r\ud800-\udfff]", markdown)


@settings(max_examples=250, deadline=None)
@given(TEXTS, st.data())
def test_pieces_or_whole_and_at_every_point(text: str, data: st.DataObject) -> None:
    whole = safe(text)
    incremental = SafeMarkdown()
    at = 0
    while at < len(text):
        step = data.draw(st.integers(1, 12))
        incremental.feed(text[at : at + step])
        at += step
        so_far = incremental.text
        assert so_far == safe(text[:at])
        assert harm(so_far) == []
        assert RENDERER.parse(f"{so_far}\n\nThe end")[-2].content == "The end"  # no fence is open
    assert incremental.text == whole


def test_every_line_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    add = SafeMarkdown._add

    def counting(self: SafeMarkdown, line: str) -> None:
        nonlocal seen
        seen += len(line)
        add(self, line)

    monkeypatch.setattr(SafeMarkdown, "_add", counting)
    text = "Some *text* of a `line`.\n```py\nx = 1\n```\n" * 400
    markdown = SafeMarkdown()
    for at in range(0, len(text), 7):
        markdown.feed(text[at : at + 7])
        _ = markdown.text
    # Each finished line once, and the unfinished one at most once for each of its pieces.
    assert seen < len(text) * 4


# -- and nothing else changes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Plain, **bold**, _em_, ~~gone~~, H~2~O; a < b, x <- y, 5<6, a<=b, <3, &amp; and &lt;",
        "# Title\n\n1. one\n2. two\n   - deep\n\n- [ ] todo\n- [x] done\n\n> quote\n\n---\n",
        "| a | b |\n|---|:-:|\n| `x` | $y$ |\n",
        "$x^2 + y_{i} < 3$, $$\\frac{a}{b}$$, \\(x\\), \\[y\\]; it costs $5 or $6",
        "$$\n\\begin{align}\na &= b \\\\\nc &< d\n\\end{align}\n$$",
        "\\[\n\\left[\n\\begin{array}{c} 1 \\\\ 2\n\\end{array}\\right]\n\\]",
        '[a](http://x.com/a_(b)?c=1&d=2#e "t") [r](docs/x%20y.md#z) [h](#top) [m](mailto:a@b.c)',
        "Bare https://x.com/a_b?c=d, <https://x.com/a>, [b](<https://x.com/b>)",
        '[1]: http://x.com/a\n[2]: <https://y.com> "T"\n\nsee [1] and [text][2]; **Note [3]:** no',
        "[^1]: A *note* of words: so.\n",
        "`a[i](x)`, `$HOME`, `a\\b`, ``a`b``, `x[0]: int`, `Dict[str, int]`, `git log --oneline`",
        "C:\\Users\\x, \\*, \\[not\\], wow! 👍 — “quotes” … ümläut\u00a0x\n\n\n\ntwo  \nlines\n",
        "```py\nif x<b>1: pass\n```",
        f"Text:\n\n```html\n{IMG}\n[a]({JS})\n```\n\nmore\n",
        "- a\n\n  ```sh\n  echo $x\n\n      deep\n  \tx\n  ```\n\n- b",
        "````md\n```py\nx\n```\n````\n\n~~~\n```\n~~~",
        "Heading\n===\n\n    indented\n",
    ],
)
def test_normal_answers_come_out_byte_for_byte(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Use <div> or List<String>", "Use &lt;div> or List&lt;String>"),
        ("`<div>` and `a`", "<code>&lt;div&#62;</code> and `a`"),
        ("```pip install x```", "<code>pip install x</code>"),
        ("| `Foo<T> \\| B` |", "| <code>Foo&lt;T&#62; &#124; B</code> |"),
        ("$a<b$ a<b", "$a< b$ a&lt;b"),
        ("$$\na<b\n$$\na<b", "$$\na< b\n$$\na&lt;b"),
        ("![alt](http://e/x.png)", "[image: alt](http://e/x.png)"),
        (f"[a]({JS})", f"&#91;a&#93;({JS})"),
        ("a\n```py\nx\n```\nb", "a\n\n```py\nx\n```\n\nb"),
        ("a\n \n```\nx\n```", "a\n \n\n```\nx\n```"),  # marked 4 wants a line with nothing
        ("  ~~~\n  ```\n  ~~~", "  ````\n  ```\n  ````"),  # marked would keep the indentation
        ("https://x/$metadata", "https://x/%24metadata"),
        ("- [a\n: b\n::: c", "- &#91;a\n&#58; b\n&#58;:: c"),
        ("```{r, echo=F}\nx", "```r\nx\n```"),
        ("``` c++ title='a'\nx\n", "``` c++\nx\n```".replace(" ", "")),
        ("- ```py\n  x\n   y\n  ```\n- b", "- &nbsp;\n\n```py\nx\n y\n```\n\n- b"),
        ("> ```\n> x\n>   y\n> ```\n> z", "```\nx\n  y\n```\n\n> z"),
        ("> ```\n> x\nout", "```\nx\n```\n\nout"),
        (
            "1. a\n     ```\n     x\n    y\n     ```",
            "1. a\n\n   ```\n   x\n   y\n   ```",
        ),
        ("a\r\nb\rc\u2028d\0", "a\nb\nc\nd\ufffd"),
    ],
)
def test_what_changes(text: str, expected: str) -> None:
    assert safe(text) == expected


CODE = st.lists(
    st.sampled_from(
        ["x", "<b>", "  ", "\t", "\n", "\n", "``", "    ```", "$", "> ", "- ", "]: y", '"']
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "text\n", "- a\n", "1. b\n\n", "> q\n", "[a\n"]), CODE)
    ),
    st.sampled_from(["", " ", "  ", "   ", "    ", "\t"]),
)
def test_a_renderer_finds_exactly_the_code_of_the_model(
    parts: list[tuple[str, str]], indent: str
) -> None:
    text = "".join(
        f"{before}{indent}```\n"
        + "".join(f"{indent}{line}\n" if line else "\n" for line in code.split("\n"))
        + f"{indent}```\n"
        for before, code in parts
    )
    assert fences(safe(text)) == [block.code for block in code_blocks(text)]


def test_code_blocks() -> None:
    text = (
        "a\n```py\nx\n  y\n```\n1. b\n   ~~~c++ title\n   z\n\n    w\n   ~~~\n"
        "> ```\n> q\n\n```\nend\n"
    )
    assert code_blocks(text) == [
        CodeBlock("py", "x\n  y"),
        CodeBlock("c++", "z\n\n w"),
        CodeBlock("", "q"),
        CodeBlock("", "end"),
    ]
    assert code_blocks("no `code` here ```x```") == []


def test_the_footer_is_text_too() -> None:
    assert with_footer("", "x") == '<small style="opacity:0.75">x</small>'
    markdown = with_footer(safe("Hi"), f"qwen-0.6b · 1,200 tokens {IMG}\n\n```\n[a]({JS})")
    body, footer = markdown.split("\n\n")
    assert body == "Hi"
    assert footer.startswith('<small style="opacity:0.75">qwen-0.6b · 1,200 tokens &lt;img')
    assert harm(markdown) == []
    assert "href" not in RENDERER.render(markdown)


def test_it_is_light_to_import() -> None:
    source = sys.modules[SafeMarkdown.__module__]
    rooms = {getattr(value, "__module__", "") or "" for value in vars(source).values()}
    assert not [
        room for room in rooms if room.startswith("jan_jupyter.") and room != source.__name__
    ]


def test_words_are_markdown_without_its_marks() -> None:
    text = "# Title\n\n- **bold** and *slanted* `code` of [a link](http://x)\n```py\nx = a * b\n```"
    text += "\n__init__"
    assert words(text, 200) == "Title bold and slanted code of a link x = a * b __init__"
    assert words(text, 12) == "Title bold…"
