"""How a command line ends."""

OK, FAILED, WRONG_USE = 0, 1, 2
STOPPED, PIPE_CLOSED = 130, 141
"""As of a program that SIGINT or SIGPIPE ended."""
