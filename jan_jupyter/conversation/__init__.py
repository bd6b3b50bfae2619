"""One live conversation for any user interface: actions in, events out. Knows no Jupyter."""
