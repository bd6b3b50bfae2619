"""OpenAI's API, and what else programs ask, over one workspace: no sockets, no host.

`respond(workspace, request)` gives status, headers and a body, whole or as it comes. `ROUTES` is
the one table of what there is; the OpenAPI description is made from it. `jan.openai()` puts it
behind the `openai` package in this process, a server behind a port.
"""

from .dispatch import ROUTES, respond, route_of
from .exchange import Request, Response, Route

__all__ = ["ROUTES", "Request", "Response", "Route", "respond", "route_of"]
