"""A comparison as views see it: one document, and what keeps it alive."""
