"""A page with nothing but the widget: no Jupyter, its styles or its widget manager."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "jan_jupyter" / "static"
ADDRESS = "http://panel.example/"

# The widget as anywidget's protocol describes it; two functions are its wire.
HTML = """<!doctype html><html lang="en"><head><title>A page</title></head>
<body style="margin:0"><main id="place"></main><script type="module">
import widget from "./{module}";
const listeners = new Set();
window.give = (events) => { for (const e of events) for (const l of listeners) l(e); };
const values = {values};
const model = {
  get: (name) => values[name], set() {}, save_changes() {},
  send: (message) => window.toKernel(JSON.stringify(message)),
  on: (name, listener) => listeners.add(listener), off: (name, l) => listeners.delete(l),
};
const el = document.getElementById("place");
let leave, remove;
window.show = () => {
  leave = widget.initialize({ model });
  remove = widget.render({ model, el });
};
window.hide = () => { remove(); leave(); };
window.show();
setInterval(async () => window.give(JSON.parse(await window.fromKernel())), 30);
</script></body></html>"""


class Bare:
    """The page, and the wire between it and `take`, which gets what the widget sends."""

    def __init__(
        self,
        page: Page,
        take: Callable[[dict[str, Any]], None],
        module: str = "chat.js",
        **values: str,
    ) -> None:
        self.page = page
        self.module = module
        traits = values or {"_panel_id": "bare", "height": "100vh"}
        self.html = HTML.replace("{module}", module).replace("{values}", json.dumps(traits))
        self.events: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self.requests: list[str] = []
        """Addresses, other than the page's own, that the page asked for."""
        page.expose_function("toKernel", lambda text: take(json.loads(text)))
        page.expose_function("fromKernel", self._waiting)
        page.route("**/*", self._serve)
        page.goto(ADDRESS)

    def send(self, event: Mapping[str, Any]) -> None:
        """Tell the widget something; from any thread."""
        self.events.put(event)

    def _waiting(self) -> str:
        found = []
        while not self.events.empty():
            found.append(self.events.get())
        return json.dumps(found)

    def _serve(self, route: Route) -> None:
        url = route.request.url
        if url == ADDRESS:
            route.fulfill(body=self.html, content_type="text/html")
        elif url == f"{ADDRESS}{self.module}":
            route.fulfill(path=STATIC / self.module, content_type="text/javascript")
        elif url.startswith(("blob:", "data:")):
            route.continue_()
        else:
            if "favicon" not in url:
                self.requests.append(url)
            route.abort()
