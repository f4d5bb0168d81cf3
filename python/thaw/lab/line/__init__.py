"""The line: two network namespaces with a network between them that obeys.

    with Line(round_trip=0.02) as line:
        server = subprocess.Popen(line.peer.command(["python", "-m", "http.server", "80"]))
        line.client.run(["curl", f"http://{line.peer.address}/"])
        line.measure().connect          # the round trip that counts
        line.set(round_trip=0.08, loss=0.01)
        line.hole("up"); line.join(); line.renumber(); line.forget_connections("reset")

Each end has a kernel's TCP, so that handshakes, slow start, retransmissions and lost FINs are real. It needs
/dev/net/tun and the right to make network namespaces, as root or in a user namespace; `why_not` says what is
missing. `docs/line.md` has a picture.
"""

from thaw.lab.line.forgotten import ForgottenAnswer
from thaw.lab.line.line import Line, LineError, RoundTrip, Side, why_not

__all__ = ["ForgottenAnswer", "Line", "LineError", "RoundTrip", "Side", "why_not"]
