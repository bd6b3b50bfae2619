"""A comparison as people see it without a kernel: plain text, Markdown, HTML, rows of a table.

`board.board(result, …)` decides what is shown; `text`, `markdown`, `html` and `report` write it.
"""
