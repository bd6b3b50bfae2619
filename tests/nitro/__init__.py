"""Tests of the engine nitro and its shared workers."""
