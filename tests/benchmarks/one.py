"""Measures one row and writes it down: `python -m tests.benchmarks.one <row> <file>`."""

import importlib
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    row, file = sys.argv[1:]
    found = importlib.import_module(f"tests.benchmarks.{row}").run()
    Path(file).write_text(json.dumps(found, indent=1, ensure_ascii=False))
