"""Every audit against clean and planted sets.

    python -m benchmarks.planted [--seeds 200] [NAME ...]

Prints a Markdown table. Exits 1 when the false-alarm rate of an audit is shown to be above the
level that it states.
"""

import argparse
import sys

from benchmarks.planted.table import SEEDS, names, run


def main() -> int:
    """Run all audits, or those that are named."""
    parser = argparse.ArgumentParser(description="Every audit against clean and planted sets.")
    parser.add_argument("audits", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    known = names()
    for name in given.audits:
        if name not in known:
            parser.error(f"expected one of {known}, found {name!r}")
    rows = run(given.audits or known, given.seeds)
    above = [row.audit for row in rows if row.above_level]
    if above:
        print(f"above the stated level: {', '.join(above)}", file=sys.stderr)
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
