"""An account that fails again and again is left alone for a while."""

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from hub.faults import ChannelError, Fault
from hub.throttle import utc_now


class Breaker:
    """Leaves an account alone that fails again and again, and tries with one request whether it is well.

    Opens after `FAILURES` in a row within `WINDOW` seconds, for `FIRST_PAUSE`, doubled up to `LONGEST_PAUSE`
    while the request that tries fails too.
    """

    FAILURES = 5
    WINDOW = 30.0
    FIRST_PAUSE = 10.0
    LONGEST_PAUSE = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = utc_now) -> None:
        self._clock, self._now = clock, now
        self._failures: deque[float] = deque(maxlen=self.FAILURES)
        self._open_until: float | None = None
        self._pause = self.FIRST_PAUSE
        self._probing = False

    @property
    def closed(self) -> bool:
        """Whether requests go through freely."""
        return self._open_until is None

    @property
    def open_until(self) -> datetime | None:
        """Until when requests are refused; None: they are not. Past: the next one tries."""
        if self._open_until is None:
            return None
        return self._now() + timedelta(seconds=self._open_until - self._clock())

    def check(self) -> None:
        """Raise ChannelError TRANSIENT `breaker_open` while requests are refused."""
        if self._open_until is None:
            return
        left = self._open_until - self._clock()
        if left <= 0 and not self._probing:
            return
        retry_at = self._now() + timedelta(seconds=max(left, 1.0))
        told = "the channel failed again and again; it is left alone for a while"
        raise ChannelError(Fault.TRANSIENT, "breaker_open", told, retry_at=retry_at)

    def begin(self) -> bool:
        """As `check`, right before a request; answers whether that request is the one that tries."""
        self.check()
        self._probing = self._open_until is not None
        return self._probing

    def settle(self, *, well: bool | None, probe: bool) -> None:
        """How a begun request ended; None: nobody knows (it was cancelled)."""
        if probe:
            self._probing = False
        if well:
            self._failures.clear()
            self._open_until, self._pause = None, self.FIRST_PAUSE
        elif well is False and probe:
            self._pause = min(self.LONGEST_PAUSE, self._pause * 2)
            self._open_until = self._clock() + self._pause
        elif well is False and self._open_until is None:
            self._fail()

    def _fail(self) -> None:
        now = self._clock()
        self._failures.append(now)
        if len(self._failures) == self.FAILURES and now - self._failures[0] <= self.WINDOW:
            self._failures.clear()
            self._open_until = now + self._pause
