"""`%jan` and `%%jan` in a real kernel, against a server that does as it is told."""

from __future__ import annotations

import html
import json
from pathlib import Path

import IPython
import pytest

from jan_jupyter.output_forms import REPLY
from support.jan import KEY, add_model
from support.kernel import Kernel, only_output
from support.server import StreamingServer, tokens

BEHAVIOURS = {
    "short": "n=20",
    "echo": "echo",
    "slow": "n=2000,delay=0.02",
    "silent": "n=5,first=30",
    "cut": "n=10,cut=5",
    "refused": "status=401",
    "paced": "n=300,delay=0.005",
}


def test_an_answer_is_one_output_with_markdown_plain_text_and_provenance(ask: Kernel) -> None:
    output = only_output(ask.execute("%%jan short -t 0.5\nhello"))
    text = "".join(tokens(20))
    assert output["data"]["text/plain"] == text
    assert set(output["data"]) == {"text/plain", "text/markdown", REPLY}
    assert "short · 20 tokens" in output["data"]["text/markdown"]
    provenance = output["metadata"]["jan"]
    assert provenance["model"] == "short"
    assert provenance["engine"] == "openai"
    assert provenance["parameters"] == {"temperature": 0.5}
    assert provenance["usage"]["completion"] == 20
    assert provenance["finish"] == "stop"


def test_a_line_gives_its_reply_as_value(ask: Kernel) -> None:
    only_output(ask.execute("%jan -m short hello"))
    assert ask.execute("print(type(_).__name__, _.model)").text == "Reply short\n"
    only_output(ask.execute("answer = %jan -m short hello"))
    assert ask.execute("print(str(answer))").text == "".join(tokens(20)) + "\n"
    only_output(ask.execute("%%jan short --as kept\nhello"))
    assert ask.execute("print(kept.usage.completion)").text == "20\n"


def test_several_answers_stand_one_under_another(ask: Kernel) -> None:
    result = ask.execute("%%jan paced -p n=2 --as several\nhello")
    output = only_output(result)
    text = "".join(tokens(300))
    plain = f"Answer 1\n\n0:{text}\n\nAnswer 2\n\n1:{text}"
    assert output["data"]["text/plain"] == plain
    assert output["metadata"]["jan"]["choices"] == 2
    shown = output["data"]["text/markdown"]
    assert shown.index("**Answer 1**") < shown.index("0:the") < shown.index("**Answer 2**")
    assert shown.count("paced · 600 tokens") == 1
    growing = [m.content["data"]["text/plain"] for m in result.received if "data" in m.content]
    both = [part for part in growing if "Answer 2" in part and part != plain]
    assert both  # they grow together
    assert all(part.count("0:the") == part.count("1:the") == 1 for part in both)
    assert ask.execute("print(len(several.choices))").text == "2\n"
    listed = only_output(ask.execute("%%jan short -p n=2 -f code\nhello"))
    assert listed["data"]["text/markdown"].count("```") == 4


@pytest.mark.parametrize(
    "prompt",
    [
        '{"a": {"b": [1, 2, {}]}}',
        "f'{x!r} {y:>10} {{z}}' and {}",
        "interface A<T> { b: T; c(): { d: number } }\nconst e = `${f}`;",
        r"\frac{1}{2} \int_{0}^{\infty} e^{-x} $x_{i}$ 100 % !ls %pwd ?",
        "  leading and trailing spaces  \n\n  and blank lines\n",
        "{name} {nobody.knows} {0} { x } {*}",
        'Grüße, 世界 😀 \\n \\t \'quotes\' """more"""',
    ],
)
def test_a_prompt_arrives_byte_for_byte(ask: Kernel, server: StreamingServer, prompt: str) -> None:
    assert ask.execute("%%jan echo\n" + prompt).status == "ok"
    (entry,) = server.journal()
    assert entry.body["messages"][-1]["content"] == prompt


def test_names_are_filled_once_and_what_stays_is_told(ask: Kernel, server: StreamingServer) -> None:
    ask.execute("x = '{y}'; y = 1; d = {'k': [10, 20]}\nclass O: a = 'attribute'")
    prompt = '{x} {d["k"][1]} {O.a} {{y}} {nothing} {"json": 1}'
    output = only_output(ask.execute("%%jan echo\n" + prompt))
    (entry,) = server.journal()
    sent = '{y} 20 attribute {{y}} {nothing} {"json": 1}'
    assert entry.body["messages"][-1]["content"] == sent
    assert "left as typed: {nothing}" in html.unescape(output["data"]["text/markdown"])
    ask.execute("%%jan echo --raw\n{y}")
    assert server.journal()[-1].body["messages"][-1]["content"] == "{y}"
    ask.execute("%jan -m echo what is {y}?")
    assert server.journal()[-1].body["messages"][-1]["content"] == "what is 1?"


QUESTION = "get_ipython().run_line_magic('jan', 'hi there?')\n"
QUESTION_IN = "get_ipython().run_line_magic({!r}, {!r})\n"


@pytest.mark.parametrize(
    ("code", "becomes"),
    [
        ("%jan hi there?", QUESTION),
        ("%jan hi \\\nthere?", QUESTION.replace("hi there", "hi  there")),
        ("if True:\n    %jan hi there?", f"if True:\n    {QUESTION}"),
        (
            "with x:\n    y = %jan hi there?\n%jan hi there?",
            f"with x:\n    y = {QUESTION}{QUESTION}",
        ),
        ('d["k"] = %jan hi there?', f'd["k"] = {QUESTION}'),
        ("a, b = %jan hi there?", f"a, b = {QUESTION}"),
        ("r: str = %jan hi there?", f"r: str = {QUESTION}"),
        ("%time %jan hi there?", QUESTION_IN.format("time", "%jan hi there?")),
        ("x = %time %jan hi there?", "x = " + QUESTION_IN.format("time", "%jan hi there?")),
        (
            "if True:\n    %timeit -n 1 -r1 %jan hi?",
            "if True:\n    " + QUESTION_IN.format("timeit", "-n 1 -r1 %jan hi?"),
        ),
        (
            "%prun -s cumulative -q %time %jan hi?",
            QUESTION_IN.format("prun", "-s cumulative -q %time %jan hi?"),
        ),
        ("%time %jan?", "get_ipython().run_line_magic('pinfo', '%jan')\n"),
        ("%time x %jan hi?", "get_ipython().run_line_magic('pinfo', 'hi')\n"),
        ("%time %jane hi?", "get_ipython().run_line_magic('pinfo', 'hi')\n"),
        ("%time len?", "get_ipython().run_line_magic('pinfo', 'len')\n"),
        ('s = """\n%jan what?\n"""', None),
        ('def f():\n    """\n    %jan what?\n    """', None),
        ('f"""\n%jan {s} what?\n"""', None),
        ('s = """\nget_ipython().run_line_magic(\'jan\', \'hi\')\n"""', None),
        ("%jan?", "get_ipython().run_line_magic('pinfo', '%jan')\n"),
        ("len?", "get_ipython().run_line_magic('pinfo', 'len')\n"),
        ("if True:\n    ?", "if True:\n    get_ipython().show_usage()\n"),
    ],
)
def test_only_a_line_of_ours_is_a_question(ask: Kernel, code: str, becomes: str | None) -> None:
    printed = ask.execute(f"print(get_ipython().transform_cell({code!r}), end='')").text
    assert printed == (becomes or code + "\n")


@pytest.mark.parametrize("magic", ["%time", "%timeit -n 1 -r 1", "%prun -q", "%prun -q -l 1 %time"])
def test_a_question_is_asked_where_it_is_timed(
    ask: Kernel, server: StreamingServer, magic: str
) -> None:
    assert ask.execute("name = 'you'\n" + magic + " %jan -m echo who are {name}?").status == "ok"
    (entry,) = server.journal()
    assert entry.body["messages"][-1]["content"] == "who are you?"


def test_text_that_looks_like_a_line_of_ours_stays_text(
    ask: Kernel, server: StreamingServer
) -> None:
    text = "\n%jan what?\nget_ipython().run_line_magic('jan', 'hi')\n"
    for magic in ("", "%%time\n"):
        assert ask.execute(f'{magic}s = """{text}"""').status == "ok"
        assert ask.execute("print(s, end='')").text == text
    assert server.journal() == []


def test_names_of_the_function_around_are_filled_first(
    ask: Kernel, server: StreamingServer
) -> None:
    ask.execute("loc = 'GLOBAL'; other = 'OTHER'")
    for code in (
        "def f():\n    loc = 'LOCAL'\n    %jan -m echo hi {loc} {other}?\nf()",
        "async def f():\n    loc = 'LOCAL'\n    x = %jan -m echo hi {loc} {other}?\nawait f()",
        "%%time\ndef f(loc):\n    %jan -m echo hi {loc} {other}?\nf('LOCAL')",
        "magic = get_ipython().run_line_magic\ndef f(loc):\n"
        "    magic('jan', '-m echo hi {loc} {other}?')\nf('LOCAL')",
        "get_ipython().run_cell_magic('jan', 'echo', 'hi LOCAL {other}?')",
        "x = get_ipython().run_line_magic('jan', line='-m echo hi LOCAL {other}?')",
    ):
        assert ask.execute(code).status == "ok"
        assert server.journal()[-1].body["messages"][-1]["content"] == "hi LOCAL OTHER?", code
    ask.execute("import asyncio\nawait asyncio.sleep(0)\n%jan -m echo hi {loc}?")
    assert server.journal()[-1].body["messages"][-1]["content"] == "hi GLOBAL?"
    ask.execute("def f():\n    shape = {'type': 'object'}\n    %jan -m echo --schema shape hi\nf()")
    assert "response_format" in server.journal()[-1].body


def test_what_was_typed_can_be_saved_recorded_and_run_again(
    ask: Kernel, server: StreamingServer
) -> None:
    typed = "%jan -m echo is it typed?\nx = %jan -m echo hi\n"
    ask.execute(typed)
    number = ask.execute("print(len(In) - 2)").text.strip()
    assert ask.execute(f"%history {number}").text == typed
    assert "await" not in ask.execute(f"%history -t {number}").text
    for name, flag in (("translated.py", ""), ("typed.ipy", "-r")):
        assert ask.execute(f"%save -f {flag} {ask.folder / name} {number}").status == "ok"
        server.clear()
        result = ask.execute(f"%run {'' if flag else '-i'} {ask.folder / name}")
        assert result.status == "ok", result.error
        assert len(server.journal()) == 2
    assert (ask.folder / "typed.ipy").read_text().endswith("\n" + typed)
    ask.execute(f"%macro -q again {number}")
    server.clear()
    assert ask.execute("again").status == "ok"
    assert len(server.journal()) == 2


def test_a_captured_answer_is_shown_once(ask: Kernel) -> None:
    text = "".join(tokens(300))
    for code in (
        "%%capture got\n%jan -m paced hi",
        "%%capture got\nx = %jan -m paced hi",
        "from IPython.utils.capture import capture_output\n"
        "with capture_output() as got:\n    %jan -m paced hi",
    ):
        assert ask.execute(code).outputs == []
        assert only_output(ask.execute("got.show()"))["data"]["text/plain"] == text
    assert ask.execute("%%capture got\n41 + 1").outputs == []
    assert only_output(ask.execute("got.show()"))["data"]["text/plain"] == "42"
    assert only_output(ask.execute("%jan -m short hi"))["output_type"] == "display_data"


def test_options_reach_the_request(ask: Kernel, server: StreamingServer) -> None:
    ask.execute("%jan set temperature=0.9 seed=3")
    ask.execute("%%jan short -s 'Be brief' -n 7 --stop END --top-p 0.5 -p min_p=0.1 -t 0\nhi")
    body = server.journal()[-1].body
    assert body["messages"][0] == {"role": "system", "content": "Be brief"}
    sent = {k: body[k] for k in ("max_tokens", "stop", "top_p", "min_p", "temperature", "seed")}
    assert sent == {
        "max_tokens": 7, "stop": ["END"], "top_p": 0.5, "min_p": 0.1, "temperature": 0, "seed": 3,
    }  # fmt: skip


@pytest.mark.parametrize("front_end", ["JupyterLab", "Colab"])
def test_a_conversation_goes_on_and_a_cell_run_again_replaces_its_turn(
    ask: Kernel, server: StreamingServer, front_end: str
) -> None:
    def said(cell: str, code: str) -> list[str]:
        told = {"colab": {"cell_id": cell}} if front_end == "Colab" else {"cellId": cell}
        message = ask.send(code, metadata=told)
        assert ask.result(message).status == "ok"
        return [m["content"] for m in server.journal()[-1].body["messages"]]

    answer = "".join(tokens(20))
    assert said("a", "%%jan short\none") == ["one"]
    assert said("b", "%%jan short -c\ntwo") == ["one", answer, "two"]
    assert said("c", "%%jan short -c\nthree") == ["one", answer, "two", answer, "three"]
    assert said("b", "%%jan short -c\nTWO") == ["one", answer, "TWO"]
    assert said("d", "%%jan short\nalone") == ["alone"]


def test_a_dry_run_shows_the_request_and_sends_nothing(
    ask: Kernel, server: StreamingServer
) -> None:
    output = only_output(ask.execute("%%jan short --dry-run -t 0\nhello"))
    shown = json.loads(output["data"]["text/plain"])
    assert shown["body"]["messages"] == [{"role": "user", "content": "hello"}]
    assert shown["body"]["temperature"] == 0
    assert server.journal() == []
    assert KEY not in json.dumps(output)


@pytest.mark.parametrize("code", ["%%jan slow\nhi", "for turn in range(2):\n    %jan -m slow hi"])
def test_interrupt_keeps_the_text_and_the_server_sees_the_close(
    ask: Kernel, server: StreamingServer, code: str
) -> None:
    message = ask.send(code)
    ask.wait_text(message, tokens(3)[2].strip())
    ask.interrupt()  # how soon it is idle, the benchmarks show
    ask.wait_idle(message)
    result = ask.result(message)
    assert result.status == "error"
    assert result.error is not None
    assert result.error.traceback == []
    assert [o["output_type"] for o in result.outputs] == ["display_data"]  # no red strip
    shown = [o for o in result.outputs if o["output_type"] == "display_data"]
    assert shown[0]["data"]["text/plain"].startswith(tokens(1)[0])
    assert "stopped" in shown[0]["data"]["text/markdown"]
    assert shown[0]["metadata"]["jan"]["finish"] == "cancelled"
    (entry,) = server.wait("closed")
    assert not entry.complete


def test_interrupt_before_the_first_token(ask: Kernel, server: StreamingServer) -> None:
    message = ask.send("%%jan silent\nhi")
    server.wait("received")
    at = ask.interrupt()
    assert ask.wait_idle(message).at - at < 10  # the server would be silent for 30 s
    result = ask.result(message)
    assert result.error is not None
    assert result.error.traceback == []
    (output,) = result.outputs
    assert "stopped" in output["data"]["text/markdown"]
    (entry,) = server.wait("closed")
    assert entry.chunks == 0


@pytest.mark.parametrize("footer", [True, False])
def test_a_stop_ends_run_all_with_one_word(
    ask: Kernel, server: StreamingServer, footer: bool
) -> None:
    ask.execute(f"%config Jan.footer = {footer}")
    message, after = ask.send("%%jan slow\nhi"), ask.send("print('on')")
    ask.wait_text(message, tokens(1)[0].strip())
    ask.interrupt()
    ask.wait_idle(message)
    stopped = ask.result(message)
    assert ask.result(after).status == "aborted"
    ask.execute("%config Jan.footer = True")
    shown = "".join(o["data"]["text/markdown"] for o in stopped.outputs)
    assert shown.count("stopped") == 1
    assert {o["output_type"] for o in stopped.outputs} == {"display_data"}
    caught = "try:\n    %jan -m slow hi\nexcept KeyboardInterrupt as e:\n    print('caught')"
    message = ask.send(caught)
    ask.wait_text(message, tokens(1)[0].strip())
    ask.interrupt()
    ask.wait_idle(message)
    assert ask.result(message).text == "caught\n"


def test_a_long_wait_is_told_and_taken_away_again(ask: Kernel, server: StreamingServer) -> None:
    server.behave("silent", "n=5,first=2,cut=0")
    message = ask.send("%%jan silent\nhi")
    ask.wait_for(message, lambda m: "Waiting" in str(m.content))
    result = ask.result(message)
    assert result.error is not None
    assert [o["data"] for o in result.outputs if "data" in o] == [{"text/plain": ""}]


def test_a_cut_answer_keeps_its_text_and_says_so_in_one_line(ask: Kernel) -> None:
    result = ask.execute("%%jan cut --as part\nhi")
    assert result.error is not None
    assert len(result.error.traceback) == 1
    assert "cut off" in result.error.traceback[0]
    shown = result.outputs[0]
    assert shown["data"]["text/plain"] == "".join(tokens(5))
    assert ask.execute("print(part.text)").text.rstrip("\n") == "".join(tokens(5)).rstrip("\n")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("%%jan nope\nhi", "nope"),
        ("%%jan shrt\nhi", "short"),
        ("%%jan short --tempreature 1\nhi", "--temperature"),
        ("%%jan short -t warm\nhi", "number"),
        ("%%jan short\n   \n", "prompt is empty"),
        ("%%jan short\n", "prompt is empty"),
        ("%jan -t 0", "prompt is empty"),
        ("%%jan refused\nhi", "api_key"),
        ("%jan use nope", "nope"),
        ("%jan set colour=red", "temperature"),
        ("%jan set temperature=warm", "number"),
        ("%%jan short --as 1x\nhi", "1x"),
        ("%%jan short --as class\nhi", "class"),
        ("%%jan short --thread ''\nhi", "--thread needs a name"),
        ("%jan --thread '' -m short hi", "--thread needs a name"),
        ("%jan -m short -p messages=[] hi", "messages is no parameter"),
        ("%jan -m short -s it's bad", "is not closed"),
        ("%jan -m short -t nan hi", "number"),
        ("%jan modles", "%jan models"),
        ("%jan -m short --schema nan hi\n", "nan"),
        ("%%jan nonsense:short\nhi", "nonsense"),
    ],
)
def test_a_mistake_is_one_line_that_says_how_to_mend_it(ask: Kernel, code: str, says: str) -> None:
    result = ask.execute(code)
    assert result.status == "error"
    (line,) = [one for one in result.outputs if one["output_type"] in ("error", "stream")]
    shown = "".join(line["traceback"] if line["output_type"] == "error" else line["text"])
    assert says in shown
    assert len(shown.strip().splitlines()) == 1
    assert KEY not in shown


@pytest.mark.parametrize("form", ["text", "json", "html", "code"])
def test_formats(ask: Kernel, form: str) -> None:
    prompts = {
        "text": "*as typed*",
        "json": '{"a": [1, 2]}',
        "html": "<b>bold</b><script>alert(1)</script>",
        "code": "text\n```python\nprint('x')\n```\n",
    }
    ask.execute(f"prompt = {prompts[form]!r}")
    output = only_output(ask.execute(f"%%jan echo -f {form}\n{{prompt}}"))
    data = output["data"]
    if form == "text":
        assert set(data) == {"text/plain"}
    elif form == "html":
        assert 'sandbox="allow-same-origin"' in data["text/html"]
        assert "<script" not in data["text/html"]
    elif form == "json":
        assert data["application/json"] in ({"a": [1, 2]}, '{"a": [1, 2]}')


def test_what_is_no_json_says_so(ask: Kernel) -> None:
    text = "".join(tokens(20))
    for footer in (True, False):
        ask.execute(f"%config Jan.footer = {footer}")
        data = only_output(ask.execute("%jan -m short -f json hi"))["data"]
        assert data["text/plain"] == text
        assert "this is no JSON (Expecting value" in html.unescape(data["text/markdown"])
        assert text.strip() in data["text/markdown"]
        assert ("tokens" in data["text/markdown"]) == footer
    ask.execute("%config Jan.footer = True")


def test_in_the_cell_that_loads_the_extension_it_is_not_shown_twice(ask: Kernel) -> None:
    ask.execute("%unload_ext jan_jupyter")
    output = only_output(ask.execute("%load_ext jan_jupyter\n%jan -m short hi"))
    assert output["output_type"] == "display_data"
    assert ask.execute("print(_.model)").text == "short\n"
    (again,) = ask.execute("_").outputs
    assert again["output_type"] == "execute_result"
    assert ask.execute("7").outputs[0]["data"]["text/plain"] == "7"
    assert ask.execute("7;").outputs == []


def test_inside_other_code_and_other_magics(ask: Kernel) -> None:
    for code in (
        "def f():\n    %jan -m short hi\nf()",
        "%%time\n%jan -m short hi",
        "%%capture got\n%jan -m short hi",
        "%autoawait False\n",
        "%jan -m short hi",
        "%autoawait True\n",
    ):
        result = ask.execute(code)
        assert result.status == "ok", (code, result.error)
    assert ask.execute("print('text/markdown' in got.outputs[-1].data)").text == "True\n"


def test_a_page_that_shows_no_widgets_says_so_in_place_of_the_panel(ask: Kernel) -> None:
    panel, _saved = ask.execute("%jan chat").data("text/plain")
    assert panel.startswith("ChatPanel(")
    assert "shows no widgets: ask with %jan QUESTION" in panel
    ask.execute("_.close()")


def test_completion(ask: Kernel) -> None:
    def offered(code: str) -> list[str]:
        """The words that Tab offers for the last one, but for that itself."""
        reply = ask.complete(code)
        at = code.rindex('"') if code.count('"') % 2 else code.rfind(" ") + 1
        words = [code[at : reply["cursor_start"]] + match for match in reply["matches"]]
        return [word for word in words if word != code[at:]]

    assert offered("%jan mo") == ["models"]
    assert offered("%jan use sh") == ["short"]
    assert offered("%%jan sh") == ["short"]
    assert offered("%%jan short --max") == ["--max-tokens"]
    assert offered("%jan -m ec") == ["echo"]
    assert offered("answer = %jan -f j") == ["json"]
    assert "short" not in offered("%%jan echo\nsh")
    assert {"temperature=", "ctx_len=", "name="} <= {*offered("%jan edit short ")}
    assert offered("%jan edit short temperature=0 top_") == ["top_k=", "top_p="]
    ask.execute(
        "import jan_jupyter; shape = int\n"
        "for title in ('plan', 'My trip'): jan_jupyter.threads.open(title)"
    )
    for line in ("%jan --thread ", "%%jan --thread ", "    d['k'] = %jan --thread "):
        assert offered(line) == ['"My trip"', "plan"]
    assert offered("%jan chat --thread My") == offered('%jan --thread "My t') == ['"My trip"']
    assert offered("%jan --schema shap") == ["shape"]
    for line in ("%jan what i", "%jan models ", "%jan -s ", "%jan --as "):
        assert offered(line) == [], line
    if IPython.version_info >= (8, 6):  # those before do not tell a matcher of the other lines
        assert offered("%%jan short\nwhat i") == []
    assert "{shape" in offered("%jan what is {sha")
    assert "import" in offered("im")


def test_what_is_offered_is_asked_at_each_address(ask: Kernel, server: StreamingServer) -> None:
    """The engine's own, and that of a model which has another."""
    settings = {"base_url": f"{server.url}/other/v1"}
    path = add_model(ask.data_folder, "elsewhere", engine="openai", settings=settings)
    output = only_output(ask.execute("offered = %jan engines openai --models"))
    assert [entry.path for entry in server.journal()] == ["/v1/models", "/other/v1/models"]
    assert f"offers at {server.url}/other/v1" in output["data"]["text/plain"]
    assert ask.execute("print(len(offered) // 2 == len(set(offered)) > 0)").text == "True\n"
    path.unlink()


def test_subcommands_show_tables_and_give_data(ask: Kernel) -> None:
    output = only_output(ask.execute("%jan models sho"))
    assert "short" in output["data"]["text/plain"]
    assert "<table" in output["data"]["text/html"]
    assert ask.execute("print([m.id for m in _])").text == "['short']\n"
    engines = only_output(ask.execute("found = %jan engines"))["data"]
    assert "nitro" in engines["text/plain"].splitlines()[1]  # what can be used comes first
    assert "with a key (`%jan keys set NAME`): " in " ".join(engines["text/plain"].split())
    assert "<code>%jan keys set NAME</code>" in engines["text/html"]
    assert "jan-jupyter" not in engines["text/plain"]  # the same for all
    assert ask.execute("print({'nitro', 'ollama', 'mistral'} <= {*found})").text == "True\n"
    assert "short" in ask.execute("%jan use short").text
    assert only_output(ask.execute("%jan hello?"))["metadata"]["jan"]["model"] == "short"
    status = only_output(ask.execute("%jan status"))["data"]["text/plain"]
    assert str(Path(ask.data_folder)) in status
    assert "%%jan [MODEL]" in ask.execute("%jan help").text + json.dumps(
        ask.execute("%jan help").outputs
    )
    assert "%%jan [MODEL]" in json.dumps(ask.inspect("%jan"))


def test_the_kernel_stays_alive_while_a_cell_streams(ask: Kernel) -> None:
    """A user's task ticks, a button's callback runs, and the next cell runs afterwards."""
    ask.execute(
        "import asyncio, time, ipywidgets\n"
        "ticks = []; clicks = []\n"
        "async def tick():\n"
        "    while True:\n"
        "        ticks.append(time.monotonic()); await asyncio.sleep(0.02)\n"
        "task = asyncio.create_task(tick())\n"
        "button = ipywidgets.Button(description='b')\n"
        "button.on_click(lambda _: clicks.append(time.monotonic()))\n"
        "button"
    )
    model_id = next(i for i, s in ask.widgets().items() if s.get("_view_name") == "ButtonView")
    message = ask.send("begun = time.monotonic()\n%jan -m paced hi")
    following = ask.send("after = time.monotonic()")
    ask.wait_text(message, tokens(20)[19].strip())
    ask.click(model_id)
    assert ask.result(message).status == "ok"
    assert ask.result(following).status == "ok"
    found = ask.execute(
        "task.cancel()\n"
        "inside = [t for t in ticks if begun < t < after]\n"
        "import ipykernel\n"
        "one_by_one = ipykernel.version_info[0] < 7  # it takes a click after the cells\n"
        "print(len(inside), len(clicks), one_by_one or clicks[0] < after)"
    ).text.split()
    assert int(found[0]) > 20  # of about 75 in 1.5 s
    assert found[1:] == ["1", "True"]


def test_few_messages_whose_bytes_grow_with_the_text(ask: Kernel, server: StreamingServer) -> None:
    def cost(count: int) -> tuple[int, int]:
        server.behave("short", f"n={count},delay=0.002")
        result = ask.execute("%%jan short\nhi")
        updates = [m for m in result.received if m.type != "status"]
        return len(updates), sum(m.size for m in updates)

    few, many = cost(250), cost(1000)
    assert few[0] < 40
    assert many[0] < 80
    assert many[1] < 8 * few[1]


def test_late_outputs_of_other_cells_are_not_ours(ask: Kernel) -> None:
    """The answer stays in the output of the cell that asked."""
    message = ask.send("%%jan short\nhi")
    other = ask.send("print('other')")
    assert ask.result(message).status == "ok"
    result = ask.result(other)
    assert result.status == "ok"
    assert result.text == "other\n", result.received


def test_local_only_refuses_what_is_elsewhere_in_one_line(ask: Kernel) -> None:
    settings = {"base_url": "https://api.elsewhere.example/v1", "api_key": KEY}
    add_model(ask.data_folder, "away", engine="openai", settings=settings)
    ask.execute("%config Jan.local_only = True")
    try:
        assert "nothing leaves this machine" in str(ask.execute("%jan status").outputs)
        for line in ("%%jan away\nhi", "%jan search some words", "%jan pull hf:org/repo"):
            result = ask.execute(line)
            assert result.error is not None, line
            (told,) = result.error.traceback
            assert "Jan.local_only is set" in told
        assert ask.execute("%%jan short\nhi").status == "ok"  # its server is here
    finally:
        ask.execute("%config Jan.local_only = False")
