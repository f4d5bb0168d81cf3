"""Modules that the laboratory needs beside the package itself, and the message where one is missing.

    if (text := needs.missing(needs.ALWAYS, "the laboratory")): print(text)
    needs.require(needs.DEMONSTRATION, "the real function")     # raises ValueError with that text

A wheel of thaw brings none of them: its extra `lab` does. Nothing here needs more than the standard library.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

# Modules that every command needs, its other processes included, and the distributions that bring them.
ALWAYS = {
    "aiohttp": "aiohttp",
    "google.protobuf": "protobuf",
    "h2": "h2",
    "matplotlib": "matplotlib",
    "msgpack": "msgpack",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "rich": "rich",
    "scipy": "scipy",
    "trustme": "trustme",
    "zstandard": "zstandard",
}
DEMONSTRATION = {"awslambdaric": "awslambdaric", "ddtrace": "ddtrace"}
# Needed by `results.read(...).pandas()` and `.polars()` alone.
FRAMES = {"pandas": "pandas", "polars": "polars"}
# Needed by a sweep on the workers of a cluster.
CLUSTER = {"distributed": "distributed"}
# Needed by the arms that are other projects' clients.
ARMS = {
    "requests": {"requests": "requests"},
    "pycurl": {"pycurl": "pycurl"},
    "pycurl-http2": {"pycurl": "pycurl"},
    "httpx": {"httpx": "httpx"},
    "urllib3": {"urllib3": "urllib3"},
}
EVERYTHING = {
    **ALWAYS,
    **DEMONSTRATION,
    **{module: name for modules in ARMS.values() for module, name in modules.items()},
}

_EXTRAS = {"frames": FRAMES, "dask": CLUSTER}
_HOW = "python -m pip install 'thaw-lambda[{}]' installs them; in a checkout, tools/setup does"


def missing(modules: dict[str, str], what: str) -> str | None:
    """Returns a line that names the modules which this Python lacks for `what`, or None if it lacks none."""
    lacking = [distribution for module, distribution in modules.items() if not _is_there(module)]
    if not lacking:
        return None
    extra = next((name for name, known in _EXTRAS.items() if modules.keys() <= known.keys()), "lab")
    return f"{what} needs packages that are not installed: {', '.join(lacking)} ({_HOW.format(extra)})"


def require(modules: dict[str, str], what: str) -> None:
    """Raises ValueError, with the line that `missing` returns, if this Python lacks one of the modules."""
    if (text := missing(modules, what)) is not None:
        raise ValueError(text)


def of_arms(names: Sequence[str]) -> dict[str, str]:
    """Returns the modules that the named arms need, and their distributions.

    Options in an arm's name make no difference.
    """
    bases = [arm.partition("(")[0] for arm in names]
    return {module: name for arm in bases for module, name in ARMS.get(arm, {}).items()}


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
