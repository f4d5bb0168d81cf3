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
    return 0


if __name__ == "__main__":
    sys.exit(main())
