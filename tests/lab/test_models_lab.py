"""The model manager in JupyterLab: real models, a real hub that is slow on request, real keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from jan_jupyter.engine_options.engine_rows import DATA
from lab import axe
from lab.attacks import TEXTS
from lab.conftest import Lab
from lab.manager import Manager, Status, ask
from support.hub import Hub
from support.jan import add_model, write_json
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

REPOSITORY, FILE = "org/Small-GGUF", "small.Q8_0.gguf"
SOURCE = f"hf:{REPOSITORY}"
KEY, OLD = "sk-canary-of-the-page-0815", "sk-canary-of-before-0816"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.add(f"{REPOSITORY}/{FILE}", next(DATA.rglob("*.gguf")).read_bytes())
        yield hub


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, site: Hub, _streaming_server: StreamingServer
) -> Iterator[Lab]:
    """A Lab below a path, with a hub on this machine and an engine that needs a key."""
    variables: dict[str, str | int] = {"HF_ENDPOINT": site.url, "JAN_KEEP_ALIVE": 600}
    with Lab(tmp_path_factory.mktemp("models"), "/user/ada/", variables=variables) as lab:
        engine = {"base_url": _streaming_server.base_url}
        write_json(lab.data_folder / "engines" / "openai" / "engine.json", engine)
        add_model(lab.data_folder, "far", engine="openai")
        yield lab


def test_a_model_is_fetched_stopped_gone_on_with_used_and_removed(
    lab: Lab, site: Hub, page: Page
) -> None:
    path = f"{REPOSITORY}/{FILE}"
    size = (site.folder / path).stat().st_size
    site.behave(path, rate=100_000)
    second = page.context.new_page()
    second.goto(lab.url("lab"))
    status = Status(second)
    manager = Manager(page, lab)
    manager.tab("get")
    manager.find("[data-source]").nth(3).wait_for()  # the curated list
    manager.find("input[type=search]").fill("small")
    manager.find("input[type=search]").press("Enter")
    found = manager.find(f"[data-source='{SOURCE}']")
    expect(found).to_contain_text("1,234 downloads")
    manager.button(f"Versions of {REPOSITORY}").click()
    expect(found.locator(".choices")).to_contain_text(re.compile(r"Q8_0.*2\.9 MB.*fits"))
    manager.button(f"Fetch {REPOSITORY}").click()
    coming = manager.find("[data-pull]")
    expect(coming).to_contain_text(re.compile(r"\d+%.* of 2\.9 MB"))
    expect(status.item).to_contain_text(re.compile(r"Fetching Small-Q8_0 \d+ %"))
    # It is the server's: a page that is reloaded sees it, and may stop it.
    manager = Manager(page, lab)
    manager.tab("get")
    coming.get_by_text("Stop").click()
    expect(coming).to_contain_text(re.compile(r"stopped · \d+ %"))
    expect(status.item).to_have_text("Jan")
    sent = site.sent(path)
    assert 0 < sent < size
    site.behave(path)
    coming.get_by_text("Go on").click()
    expect(coming).to_have_count(0)
    assert site.sent(path) < size + 2**20  # it went on from there
    # It is a model like any other.
    manager.tab("installed")
    row = manager.find(".row", has_text="small")
    row.get_by_text("Load", exact=True).click()
    expect(row.locator(".note")).to_contain_text("loaded", timeout=60_000)
    row.locator(".remove").click()
    expect(row.locator(".ask")).to_contain_text("2.9 MB")
    expect(row.get_by_text("Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.locator(".remove")).to_be_focused()
    page.keyboard.press("Enter")
    row.locator(".ask .danger").click()
    expect(row).to_have_count(0)
    expect(status.item).to_have_text("Jan")
    second.close()


def test_a_pull_that_fails_says_why_and_an_unfinished_one_can_be_given_up(
    lab: Lab, site: Hub, page: Page
) -> None:
    site.add("org/Gated-GGUF/gated.Q8_0.gguf", b"GGUF")
    site.behave("org/Gated-GGUF", gated=True)
    path = "org/Other-GGUF/other.Q8_0.gguf"
    site.add(path, (site.folder / REPOSITORY / FILE).read_bytes())
    site.behave(path, rate=100_000)
    manager = Manager(page, lab)
    manager.tab("get")
    field = manager.find("input[type=search]")
    field.fill("hf:org/Gated-GGUF")
    field.press("Enter")
    gated = manager.find("[data-pull='Gated-Q8_0']")
    expect(gated.locator(".failure")).to_contain_text("is gated")
    field.fill("hf:org/Other-GGUF")
    field.press("Enter")
    coming = manager.find("[data-pull='Other-Q8_0']")
    expect(coming).to_contain_text(re.compile(r"\d+%"))
    coming.get_by_text("Stop").click()
    for pull in (coming, gated):
        pull.get_by_text("Discard").click()
        pull.locator(".danger").click()
        expect(pull).to_have_count(0)


def test_a_key_is_kept_and_used_and_never_seen(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("far", "n=3")
    sent: list[str] = []
    received: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    page.on(
        "websocket", lambda one: one.on("framereceived", lambda text: received.append(str(text)))
    )
    host = server.base_url.split("/")[2]
    ask(lab, "PUT", "keys/openai", {"key": OLD, "for": host})
    manager = Manager(page, lab)
    manager.tab("keys")
    row = manager.find("[data-key=openai]", has_text=host)
    expect(row).to_contain_text("keys.json")
    row.locator(".set").click()
    field = row.locator("input[type=password]")
    expect(field).to_be_focused()
    field.fill(KEY)
    field.press("Enter")
    expect(field).to_have_count(0)
    expect(row.locator(".set")).to_be_focused()
    assert [one for one in sent if KEY in one] == [one for one in sent if "/keys/" in one]
    assert not any(KEY in url.partition(" ")[0] for url in sent)
    # In no part of the page, nor where pages keep things.
    seen = page.evaluate(
        """() => {
            const root = document.querySelector('jan-models').shadowRoot;
            const fields = [...root.querySelectorAll('input')].map(({ value }) => value);
            const kept = [localStorage, sessionStorage].map((one) => JSON.stringify({ ...one }));
            const pages = [document.documentElement.outerHTML, root.innerHTML, document.cookie];
            return [...pages, ...kept, ...fields].join(' ');
        }"""
    )
    assert KEY not in seen
    assert not any(KEY in frame for frame in received)
    # It is used.
    body = {"model": "far", "messages": [{"role": "user", "content": "hi"}]}
    ask(lab, "POST", "chat/completions", body)
    (entry,) = server.wait("complete")
    assert entry.headers["authorization"] == f"Bearer {KEY}"
    # Nothing that is kept has it but the place of keys.
    with_key = [
        file
        for file in lab.folder.rglob("*")
        if file.is_file() and KEY.encode() in file.read_bytes()
    ]
    assert [file.name for file in with_key] == ["keys.json"]
    listed = ask(lab, "GET", "keys")
    assert KEY.encode() not in listed
    assert OLD.encode() not in listed
    row.get_by_text("Remove", exact=True).click()
    row.locator(".ask .danger").click()
    expect(row).to_have_count(0)
    assert KEY not in with_key[0].read_text("utf-8")


def test_an_engine_that_needs_a_key_leads_to_its_field(lab: Lab, page: Page) -> None:
    manager = Manager(page, lab)
    manager.tab("engines")
    manager.button("Set its key: claude").click()
    expect(manager.find("[data-key=claude] input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(manager.button("Set the key of claude")).to_be_focused()


def test_what_models_are_called_is_text(lab: Lab, site: Hub, page: Page) -> None:
    attacks = TEXTS[:60]
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    for number, text in enumerate(attacks):
        described = {
            "id": f"attack-{number}",
            "name": text,
            "engine": "openai",
            "description": text,
            "metadata": {"author": text},
        }
        folder = lab.data_folder / "models" / f"attack-{number}"
        write_json(folder / "model.json", described)
    try:
        manager = Manager(page, lab)
        expect(manager.find(".row")).to_have_count(len(attacks) + 2)
        for number in range(len(attacks)):
            manager.model(f"attack-{number}").locator(".more").click()
        expect(manager.find("dd", has_text=attacks[-1]).first).to_be_visible()
        for name in ("apps", "get", "keys", "engines"):
            manager.tab(name)
            manager.find(".row, .empty").first.wait_for()
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        assert page.evaluate("window.pwned") is None
        own = f"http://127.0.0.1:{lab.port}/"
        assert not [url for url in foreign if not url.startswith((own, "data:", "blob:"))]
        tags = manager.root.evaluate(
            "e => [...e.shadowRoot.querySelectorAll('*')].map(({ tagName }) => tagName)"
        )
        assert not {"IMG", "SCRIPT", "IFRAME", "A", "OBJECT"} & set(tags)
    finally:
        for number in range(len(attacks)):
            (lab.data_folder / "models" / f"attack-{number}" / "model.json").unlink()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_axe_finds_nothing_serious(lab: Lab, page: Page, theme: str, width: int) -> None:
    lab.theme(theme)
    manager = Manager(page, lab, width)
    for name in ("installed", "apps", "get", "keys", "engines"):
        manager.tab(name)
        manager.find(".row, .empty").first.wait_for()
        if name == "installed":
            manager.find(".more").first.click()
        if name == "keys":
            manager.find(".set").first.click()
        assert axe.faults(page, "jan-models") == []
        shown = manager.find(".shown")
        assert shown.evaluate("e => e.scrollWidth <= e.clientWidth"), name


def test_by_the_keyboard_alone(lab: Lab, page: Page) -> None:
    page.goto(f"{lab.url('lab')}&reset")
    page.locator(".jp-LauncherCard").first.wait_for(timeout=60_000)
    page.keyboard.press("Control+Shift+c")
    page.keyboard.type("Manage Models")
    page.keyboard.press("Enter")
    tab = page.get_by_role("tab", name="Installed")
    expect(tab).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Other apps")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Engines")).to_be_focused()
    page.keyboard.press("Home")
    page.locator("jan-models .row").nth(1).wait_for()
    for _ in range(3):  # past what is beside the other model
        page.keyboard.press("Tab")
    expect(page.locator("jan-models button[aria-label='Load Jan mini']")).to_be_focused()
    page.keyboard.press("Enter")
    unload = page.locator("jan-models button[aria-label='Unload Jan mini']")
    expect(unload).to_be_focused(timeout=60_000)
    expect(unload).to_be_enabled(timeout=60_000)
    page.keyboard.press("Enter")
    load = page.locator("jan-models button[aria-label='Load Jan mini']")
    expect(load).to_be_focused(timeout=60_000)


def test_it_is_there_again_after_a_reload(lab: Lab, page: Page) -> None:
    with page.expect_request_finished(
        lambda asked: asked.method == "PUT" and "jan-jupyter-models" in (asked.post_data or "")
    ):  # where things are
        manager = Manager(page, lab)
    page.reload()
    expect(manager.find(".row").first).to_be_visible(timeout=60_000)


def test_in_notebook_7_it_is_at_the_side(lab: Lab, any_page: Page) -> None:
    page = any_page  # Notebook 7 has errors of its own
    page.goto(lab.url("tree"))
    page.locator(".jp-DirListing-item").first.wait_for(timeout=60_000)
    page.keyboard.press("Control+Shift+c")
    page.keyboard.type("Manage Models")
    page.keyboard.press("Enter")
    expect(page.locator("jan-models .row").first).to_be_visible()
    assert axe.faults(page, "jan-models") == []
