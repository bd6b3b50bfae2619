"""`python -m jan_jupyter.cli`: where the command is not on the path."""

from . import main

raise SystemExit(main())
