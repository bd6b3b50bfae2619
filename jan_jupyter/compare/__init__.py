"""Comparison: prompts × models × parameters × repeats, asked, kept, judged and shown."""
