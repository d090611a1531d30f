"""Faults that take minutes: the whole portal runs, and its processes are killed. `make test-faults` runs these."""
