"""Machines that are stopped from outside: guests with a kernel of their own, at the client's end of a line.

    with Line() as line:
        machine = subprocess.Popen(user_mode_linux.command(line), stdin=subprocess.PIPE)
        stopper = user_mode_linux.freezer("sigstop", machine.pid)
        stopper.freeze(); stopper.resume()

`user_mode_linux` is world W3a's: SIGSTOP stops the machine, and its clocks go on. `launch` is the program
that makes the guest's network device and runs the machine; `guest` is the guest's first process, which
becomes the client. The guest has the host's files, which it can read and not write, so each arm runs there as
it does elsewhere. Nothing outlives the process of `launch`: see there.
"""

from thaw.lab.machine.network import GUEST_ADDRESS

__all__ = ["GUEST_ADDRESS"]
