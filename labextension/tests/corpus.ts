// Texts as models write them, and texts that try to make the blocks go wrong.

export const CORPUS: Record<string, string> = {
  answer: `Sure! Here is a **short** overview of *three* things, and \`inline code\`.

1. First, a [link](https://example.org/a?b=c "title") and an autolink https://example.org.
2. Second:
   - nested one
   - nested two

     with a paragraph
3. Third

## Code

\`\`\`python
def f(x):
    """Doc \`\`\`not the end\`\`\`."""
    return x ** 2  # comment
\`\`\`

| a | b |
|---|:-:|
| 1 | \`x|y\` |
| 2 | **z** |

> A quote
> with two lines
and a lazy one

Done.`,
  loose: "- a\n- b\n\n- c\n\n  d\n\n      code\n- e\n\ntext\n\n* other\n* list\n\n1) one\n2) two\n",
  setext: "Title\n===\n\nSub\n---\n\ntext\n---\n- item\n---\n\n***\n___\n",
  fences: "```\na\n```\n~~~~ js\n```\nb\n~~~\n~~~~\n```py`x\nno fence\n\n  ```c\n  int x;\n ```\n\n- ```\n  in list\n  ```\n\n> ```\n> in quote\n\n```\nnever closed\n\n# not a heading\n",
  references:
    "See [one], [Two][two] and [three][].\n\n# h\n\n[one]: http://e/1\n\ntext\n\n[two]: <http://e/2> 'title'\n[three]: http://e/3\n\"second\nline\"\n\n- a [one]\n\n[one]: http://e/duplicate\n",
  titles: "p [a]\n\n[a]: http://e/u\n'title\nmore'\n\n[b]: http://e/x\n'no title\n\nq [b]\n",
  lazyTitles: "> [a]: http://e/u\n'lazy\ntitle'\n\n- x\n- [b]: http://e/x\n'lazy\n\n[a] [b]\n",
  math: "Inline $a^2+b^2$ and \\(x_1\\), prices $5 and $6.\n\n$$\n\\int_0^1 x\\,dx\n$$\n\ntext\n$$\nnot closed\n\nmore\n\n\\[\nE = mc^2\n\\]\n\n- $$x$$\n- \\[ y \\]\n\n$$ one line $$\nafter\n$$\n- a\n- b\n$$\n\n$$\nopen to the end\n",
  tables: "a | b\n--|--\n1 | 2\n\n| x |\n| - |\n| y |\ntext after\n| no | table |\n\n| h |\n|---|\n\n| * x\n---\n$$\n```\n$$\n",
  indented: "    code\n    more\n\n    still\ntext\n\n\ttab code\n\n> quote\n    lazy\n",
  breaks: "a  \nb\\\nc<br>d<br/>e\r\nf\rg\n\n* * *\r\n\r\nend\r",
  html: "<div>\n\n*a*\n\n</div>\n<script>\nalert(1)\n</script>\n<!-- c -->\n\n<b>x</b> &amp; &lt; &#x41;\n",
  tasks: "- [ ] open\n- [x] done\n  - [X] nested\n\n* [ ]not\n",
  nested: "> - a\n>   > b\n>   > ```\n>   > c\n\n1. x\n\n   ```\n   y\n   ```\n\n   z\n2. w\n\n10. v\n",
  emphasis: "**a *b* c** __d__ _e_ ~~f~~ ***g*** **h\n\n*i **j\nk* l**\n\n`a`` b` ``c`d`` \\*no\\* *\n",
  images: "![alt](http://e/x.png) and ![ref][r]\n\n[![in](http://e/i.png)](http://e)\n\n[r]: http://e/r.png\n",
  definitions: "text\n[a]: http://e/not-a-definition\n\n[b]:\nhttp://e/b\n[c]: http://e/c\n# heading [b] [c]\n> [d]: http://e/d\n\n[d] [a]\n",
  empty: "\n\n   \n\n-\n\n-\n  x\n\n1.\n\n#\n\n>\n\n```\n```\n",
};

/** Pieces that a generated document is put together from. */
export const PIECES = [
  "a", "b c", "[a]", "[a]: http://e/a\n", "[a]:\n", "'t\n", "t'\n", "\n", "\n\n", "\r\n", "  \n", "# h\n",
  "---\n", "===\n", "- ", "* x\n", "1. ", "  ", "    ", "\t", "> ", "```\n", "```py\n", "~~~\n", "``", "`",
  "|a|b|\n", "|-|-|\n", "| ", "$$\n", "$$", "$", "\\[", "\\]\n", "\\(x\\)", "**", "*", "_", "~~", "<br>",
  "<i>", "&amp;", "\\", "![x](http://e/x)", "](http://e)", "[ ] ", "x\n", "http://e/y ",
];
