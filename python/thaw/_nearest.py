"""The known name that was probably meant by one that is not known.

>>> nearest("cycels", ["cycles", "payloads"])
'cycles'

Nothing here needs more than the standard library.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(given: str, known: Iterable[str]) -> str | None:
    """Returns the known name that is most like the given one, or None if no name is like it."""
    lower = {name.lower(): name for name in known}
    # A name whose beginning was given is meant more often than one with the same letters elsewhere.
    begun = [name for name in lower if len(given) > 2 and name.startswith(given.lower())]
    found = begun[:1] or difflib.get_close_matches(given.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None
