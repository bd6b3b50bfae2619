"""Run by the Python that has a client, with what to do on stdin: the page's blocks, then a script.

Prints one line of JSON: what the blocks printed (`printed`), and what the script tells (`told`).
"""

from __future__ import annotations

import io
import json
import runpy
import sys
from contextlib import redirect_stdout

asked = json.load(sys.stdin)
printed = io.StringIO()
with redirect_stdout(printed):
    for block in asked["python"]:
        exec(block, {})
    script = runpy.run_path(asked["script"])
    told = script["main"](asked["address"], asked["key"], asked["others"])
print(json.dumps({"printed": printed.getvalue(), "told": told}))
