"""Getting models: where from, and how they come."""
