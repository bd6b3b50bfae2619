"""What people ask for by a name, in a cell (`%jan NAME`) or in a terminal (`jan-jupyter NAME`).

Of each command here are its arguments, what Tab may offer for them, what it does, and what it says:
one table for both. A file imports at its top its neighbours, the ground of this package (`errors`,
`units` …) and the standard library alone: the declarations are read when a kernel or a shell waits
for them.
"""
