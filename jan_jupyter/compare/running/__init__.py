"""How a grid is asked: planned, then done."""
