#!/usr/bin/env python3
"""The smallest extension: it does only what every extension has to do, so it shows the least cost of one.

docs/emulator.md shows and explains the same program.
"""

import json
import os
import urllib.request

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension"
name = {"Lambda-Extension-Name": os.path.basename(__file__)}
events = json.dumps({"events": ["INVOKE", "SHUTDOWN"]}).encode()
with urllib.request.urlopen(urllib.request.Request(f"{api}/register", events, name)) as answer:
    next_event = urllib.request.Request(
        f"{api}/event/next",
        headers={"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]},
    )
while json.load(urllib.request.urlopen(next_event))["eventType"] == "INVOKE":
    pass
