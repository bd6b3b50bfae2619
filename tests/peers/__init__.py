"""Real servers that we did not write, each started on a free port of this machine for a test."""
