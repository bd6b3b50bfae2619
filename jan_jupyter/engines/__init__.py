"""Engines: what runs a model, or speaks to a server that does."""
