"""The chat panel as a person sees and handles it, in any page that shows one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SECONDS = 1000


class Panel:
    """One view of a panel; the n-th of the page."""

    # One of another build than the first of the page has a number after its name.
    NAME = "xpath=//*[starts-with(local-name(), 'jan-chat')]"

    def __init__(self, page: Page, number: int = 0, name: str = NAME) -> None:
        self.page = page
        self.root = page.locator(name).nth(number)
        try:
            self.root.locator(".welcome h2, .turn").first.wait_for(timeout=30 * SECONDS)
        except Exception as error:
            shown = page.locator("body").inner_text()[-2000:]
            error.add_note(f"The page shows:\n{shown}\nThe panel: {self._shown()}")
            raise

    def _shown(self) -> str:
        return " ".join(place.inner_text() for place in self.find(".place").all()) or "nothing"

    # What is there

    def find(self, selector: str, **options: Any) -> Locator:
        return self.root.locator(selector, **options)

    @property
    def turns(self) -> Locator:
        return self.find("article.turn")

    @property
    def answer(self) -> Locator:
        """The last answer."""
        return self.find("article.assistant").last

    @property
    def says(self) -> Locator:
        """What the last answer says."""
        return self.answer.locator("> .md")

    @property
    def footer(self) -> Locator:
        """What stands below the last answer."""
        return self.answer.locator(".footer")

    @property
    def box(self) -> Locator:
        return self.find(".composer > textarea")

    @property
    def questions(self) -> Locator:
        return self.find("article.user .said")

    # What is done

    def ask(self, text: str) -> None:
        self.box.click()
        self.box.fill(text)
        self.box.press("Enter")

    def ask_and_wait(self, text: str) -> None:
        self.box.click()
        self.box.fill(text)
        self.send_and_wait()

    def send_and_wait(self) -> None:
        """Send what stands in the box, and wait for the end of the answer."""
        before = self.find("article.assistant").count()
        self.box.press("Enter")
        self.find("article.assistant").nth(before).wait_for()
        self.wait()

    def wait(self) -> None:
        """Wait for the end of what is being written."""
        self.find(".round.send").wait_for(timeout=30 * SECONDS)

    def wait_for_text(self, length: int = 100) -> None:
        """Wait until an answer is being written and has so many characters."""
        from playwright.sync_api import expect

        writing = self.find("[data-status=writing] .md").first
        long = re.compile(f".{{{length},}}", re.DOTALL)
        expect(writing).to_have_text(long, timeout=30 * SECONDS)

    def stop(self) -> None:
        self.find(".round.stop").click()
        self.find(".round.send").wait_for()

    def button(self, label: str) -> Locator:
        return self.find(f"button[aria-label='{label}']")

    def act(self, turn: Locator, label: str) -> None:
        """Press a button of a turn, which is shown where the pointer is."""
        turn.hover()
        turn.locator(f"button[aria-label='{label}']").click()

    def choose(self, model: str) -> None:
        self.find(".model-button").click()
        self.find(".model-list input").fill(model)
        self.find(".model-row .choose").first.click()
        self.find(".model-list").wait_for(state="detached")

    def set(self, name: str, value: str) -> None:
        """Set a value in the settings panel, which is opened and closed again."""
        self.button("Settings").click()
        field = self.find(f"#setting-{name}")
        field.fill(value)
        field.press("Enter")
        self.find(f".setting:has(#setting-{name}) .level", has_text="thread").wait_for()
        self.button("Close the settings").click()
