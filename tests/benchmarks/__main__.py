"""`make bench`: each row is a ratio against a reference measured in the same run, or a count against a published one.

These machines are noisy: read the ratios. The table goes to standard output, the rows to var/bench/<name>.json.
"""

import json
import subprocess
import sys
from pathlib import Path

ROWS = ("dashboard", "completed_order", "middleware_tax", "photo_sealing", "photo_memory")
ROWS = (*ROWS, "lookup", "sign_in", "masked_list", "turning", "callback_storm", "callbacks", "fan_out", "draining")
OUT = Path(__file__).resolve().parents[2] / "var" / "bench"


def main(names: list[str]) -> int:
    """Run the named rows (all when none is named); 1 when a limit does not hold."""
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in names or ROWS:
        # Each in a process of its own: what one leaves behind, memory above all, would be measured with the next.
        subprocess.run([sys.executable, "-m", "tests.benchmarks.one", name, OUT / f"{name}.json"], check=True)
        found = json.loads((OUT / f"{name}.json").read_text())
        rows += found if isinstance(found, list) else [found]
        print(f"… {name} measured", file=sys.stderr, flush=True)
    print(f"{'row':<44} {'ours':>12} {'reference':>12} {'ratio':>8} {'limit':>8}  holds")
    for row in rows:
        line = (
            f"{row['name']:<44} {row['value']:>12.4g} {row['reference']:>12.4g} {row['ratio']:>8.3f} {row['limit']:>8}"
        )
        print(f"{line}  {'yes' if row['holds'] else 'NO'}   [{row['unit']}; {row['against']}]")
    return 0 if all(row["holds"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
