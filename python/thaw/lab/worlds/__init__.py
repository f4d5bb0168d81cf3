"""Ways to freeze a client between and during flushes.

`w0_simulated` steps client, clock and network in one process. `w1_stopped_process` stops a process with real
sockets; `child` is that process.
"""
