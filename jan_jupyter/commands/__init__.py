"""What people ask for by a name, in a cell (`%jan NAME`) or in a terminal (`jan-jupyter NAME`).

Of each command here are its arguments, what Tab may offer for them, what it does, and what it says:
one table for both. A file imports nothing but its neighbours and the standard library at its top,
for the declarations are read when a kernel or a shell waits for them.
"""
