"""What is set for each engine: files over built-in rows, plug-ins' names, keys and tokens."""
