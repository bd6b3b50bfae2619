"""A comparison as people see it without a kernel: plain text, Markdown, HTML.

`board.board(result, …)` decides what is shown; `text`, `markdown`, `html` and `report` write it.
"""
