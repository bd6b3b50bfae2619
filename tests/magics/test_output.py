"""What is saved of an answer, in each format."""

from __future__ import annotations

import pytest

from jan_jupyter.commands import tables
from jan_jupyter.console import printable
from jan_jupyter.magics.output import final_bundle
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


def test_a_table_is_no_wider_than_its_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remark = "no key for engine mistral: run `%jan keys set mistral --for eu-west.example.org`"
    rows = [
        ("mistral-large-of-the-newest-kind", "mistral · api.eu-west.example.org", "1,024", remark),
        ("small", "nitro · this machine", "512", ""),
    ]

    def shown(columns: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        tables.table(("model", "runs on", "context", "remark"), rows, right={2}, remarks=True)
        return capsys.readouterr().out.splitlines()

    wide = shown(200)
    assert len(wide) == 3
    assert wide[1].endswith(f"1,024  {remark}")
    narrow = shown(60)
    assert max(map(len, narrow)) <= 60
    whole = " ".join(" ".join(narrow).split())
    assert remark in whole  # a command is not parted at its hyphens
    assert not any("…" in line for line in narrow)
    assert any(line.startswith("    no key") for line in narrow)
    tables.card("title", [("a long text", "word " * 40)])
    card = capsys.readouterr().out.splitlines()
    assert max(map(len, card)) <= 60
    assert len({len(line) - len(line.lstrip()) for line in card[2:]}) == 1  # in line with its value
