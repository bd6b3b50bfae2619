"""`python tests/support/server --port 0` prints {"port": N}, then serves."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.server.serving import main

main()
