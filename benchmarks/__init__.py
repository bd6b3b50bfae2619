"""What the figures come from. `make bench` runs all, `python -m benchmarks NAME …` some.

Times differ between machines, so each figure is a ratio against a named peer, or a bound, measured
in one run.
"""
