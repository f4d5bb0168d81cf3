"""One direction of a line: a queue of packets with the times at which they leave it.

    way = Way(seconds=0.01)
    way.put(packet, now)
    way.next_release            # when the first packet leaves, None if there is none
    way.take(now)               # the packets that are due

Packets keep their order, also while the delay changes: one that is put in under a shorter delay waits for
those before it. Times are seconds of any one clock. A single thread.
"""

from __future__ import annotations

import collections
import random


class Way:
    """A delay, a share of packets that get lost, and whether the direction is open.

    Args:
      seconds: the delay.
      loss: the chance of each packet to get lost, from 0 to 1.
      seed: the seed of the random losses.
    """

    def __init__(self, seconds: float, loss: float = 0.0, seed: int = 1) -> None:
        self.seconds = seconds
        self.loss = loss
        self.open = True
        self.passed = 0  # packets
        self.bytes = 0
        self.lost_by_chance = 0
        self.lost_in_hole = 0
        self._chance = random.Random(seed)
        self._queue: collections.deque[tuple[float, bytes]] = collections.deque()
        self._last_release = 0.0

    def put(self, packet: bytes, now: float) -> None:
        if not self.open:
            self.lost_in_hole += 1
            return
        if self.loss and self._chance.random() < self.loss:
            self.lost_by_chance += 1
            return
        release = now + self.seconds
        if release < self._last_release and self._queue:
            release = self._last_release
        self._last_release = release
        self._queue.append((release, packet))

    def close(self) -> None:
        """Makes a hole: what is on its way is lost, and so is what comes until `open` is set."""
        self.open = False
        self.lose_all()

    def lose_all(self) -> None:
        """Loses what is on its way."""
        self.lost_in_hole += len(self._queue)
        self._queue.clear()

    @property
    def next_release(self) -> float | None:
        return self._queue[0][0] if self._queue else None

    def take(self, now: float) -> list[tuple[float, bytes]]:
        """Takes out the packets that are due, with the times at which they were."""
        due = []
        queue = self._queue
        while queue and queue[0][0] <= now:
            due.append(queue.popleft())
        for _, packet in due:
            self.bytes += len(packet)
        self.passed += len(due)
        return due

    def counts(self) -> dict[str, int]:
        return {
            "passed": self.passed,
            "bytes": self.bytes,
            "lost_by_chance": self.lost_by_chance,
            "lost_in_hole": self.lost_in_hole,
        }
