"""OpenAI's API on the wire, both ways: events, bodies, when to ask again. Pure."""
