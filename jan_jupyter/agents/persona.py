"""`Jan` in Jupyter AI's chat: every model of ours, with its picker, its stop and its gauge."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_ai_persona_manager import BasePersona, PersonaDefaults
from jupyter_ai_persona_manager.awareness_models import ModelConfiguration, ModelOption, Usage
from jupyterlab_chat.models import Message, NewMessage

from .answering import AVATAR, Answering, choices, refused


class JanPersona(BasePersona):  # type: ignore[misc]
    """One for each chat; it answers one message after the other."""

    _chosen: str | None = None  # the default of the moment, until one is picked
    _answering: Answering | None = None

    @property
    def defaults(self) -> Any:
        about = "The models of jan_jupyter: local and remote ones, of every engine."
        return PersonaDefaults(name="Jan", description=about, avatar_path=AVATAR, system_prompt="")

    async def prepare(self) -> None:
        """Fill the picker; Jupyter AI asks for it when somebody chooses the persona."""
        default, found = await asyncio.to_thread(choices)
        options = [ModelOption(id=id, name=name, description=about) for id, name, about in found]
        current = self._chosen or default
        self.report_model_configuration(ModelConfiguration(current=current, options=options))

    async def update_model(self, model_id: str) -> None:
        self._chosen = model_id

    async def process_message(self, message: Message) -> None:
        answering = self._answering = Answering(self, message, self._chosen)
        id = ""
        try:
            async for shown in answering.shown(self.set_status):
                id = id or self.chat.add_message(NewMessage(body="", sender=self.id))
                self.chat.update_message(Message(id=id, sender=self.id, **shown))
        finally:
            answering.stop()
            self.clear_status()
        self.report_usage(Usage(**answering.context))
        self.report_usage(Usage(**answering.spent), append=True)
        await self.prepare()  # there may be others now

    async def cancel_response(self) -> None:
        if self._answering is not None:
            self._answering.stop()

    async def shutdown(self) -> None:
        await super().shutdown()
        await self.cancel_response()

    async def handle_uncaught_exception(self, exc: Exception) -> None:
        self.send_message(refused(exc))
