"""What is saved of an answer, in each format."""

from __future__ import annotations

from jan_jupyter.magics.output import final_bundle, printable
from jan_jupyter.types import Reply

CODE = "Here:\n\n```python\nprint('<b>')\n```\n\nDone."


def bundle(text: str, form: str) -> dict[str, object]:
    return final_bundle(Reply(text, "m", "e"), form, "the footer")


def test_markdown_has_the_footer_and_plain_text_has_not() -> None:
    saved = bundle("**bold** <script>", "markdown")
    assert saved["text/plain"] == "**bold** <script>"
    assert "<script>" not in str(saved["text/markdown"])
    assert "the footer" in str(saved["text/markdown"])


def test_code_is_only_the_code() -> None:
    saved = bundle(CODE, "code")
    assert saved["text/plain"] == "print('<b>')"
    assert str(saved["text/markdown"]).startswith("```python\nprint('<b>')\n```")
    assert "Done." not in str(saved["text/markdown"])


def test_json_is_read_also_out_of_a_fence() -> None:
    assert bundle('{"a": [1]}', "json")["application/json"] == {"a": [1]}
    assert bundle('```json\n{"a": [1]}\n```', "json")["application/json"] == {"a": [1]}
    assert bundle("no JSON", "json")["text/plain"] == "no JSON"


def test_html_runs_nothing_and_fetches_nothing() -> None:
    shown = str(bundle("<b>x</b><script>alert(1)</script>", "html")["text/html"])
    assert shown.startswith('<iframe sandbox="allow-same-origin"')
    assert "default-src &#x27;none&#x27;" in shown
    assert "<script" not in shown
    assert "<b>" not in shown


def test_a_model_cannot_command_a_terminal() -> None:
    assert printable("a\x1b[2Jb\rc\td\n") == "a[2Jbc\td\n"
