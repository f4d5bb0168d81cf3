"""Says which worlds this machine can show: `python -m thaw.lab.worlds`."""

from __future__ import annotations

import argparse
import sys

from thaw.lab.experiment import WORLDS
from thaw.lab.worlds import availability


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m thaw.lab.worlds", description="Says which worlds this machine can show."
    ).parse_args()
    for world in WORLDS:
        reason = availability.why_not(world)
        print(f"{world:<5} {'here' if reason is None else f'{availability.without(world)}: {reason}'}")
    # Clones of one snapshot are no world of `compare`: they need what W3b needs.
    reason = availability.why_not("W3b")
    print(f"{'W3c':<5} {'here' if reason is None else f'refused: {reason}'} (python -m thaw.lab clones)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
