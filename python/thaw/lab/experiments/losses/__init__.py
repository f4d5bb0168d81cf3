"""Ten thousand freezes of thaw's arm over every real world and every way in which connections end.

    python -m thaw.lab losses --results losses-results

The specs are in the folder `specs`; `command` runs them and counts what became of the payloads.
"""
