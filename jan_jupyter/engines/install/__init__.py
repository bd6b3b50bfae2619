"""Packages and environments that add engines."""
