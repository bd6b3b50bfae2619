"""What numbers say, and what they do not."""
