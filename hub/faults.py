"""The only six ways a channel can fail, and the single table of what we do about each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Fault(StrEnum):
    """What kind of failure it is: what we do follows from this and from nothing else."""

    TRANSIENT = "transient"  # try again, later and later
    THROTTLED = "throttled"  # try again when the channel said
    AUTH = "auth"  # hold the account until the seller reconnects, keep its work
    REJECTED = "rejected"  # the channel refused this one: tell the seller, park it, go on with the rest
    MISSING = "missing"  # gone on their side
    SHAPE = "shape"  # we cannot read what they sent: keep it, alert


@dataclass(frozen=True, slots=True)
class Policy:
    """`retries` attempts with growing pauses; then the work is parked with its reason."""

    retries: int
    first_pause: float = 5.0
    longest_pause: float = 900.0
    holds_account: bool = False
    parks: bool = False
    alerts: bool = False


POLICIES: dict[Fault, Policy] = {
    Fault.TRANSIENT: Policy(retries=60),
    Fault.THROTTLED: Policy(retries=500, first_pause=2.0, longest_pause=300.0),
    Fault.AUTH: Policy(retries=500, first_pause=60.0, holds_account=True, alerts=True),
    Fault.REJECTED: Policy(retries=0, parks=True, alerts=True),
    Fault.MISSING: Policy(retries=0, parks=True),
    Fault.SHAPE: Policy(retries=0, parks=True, alerts=True),
}


def pause_after(fault: Fault, attempts: int) -> float | None:
    """Seconds to wait after the given number of failed attempts (1 for the first); None: park it."""
    policy = POLICIES[fault]
    if attempts > policy.retries:
        return None
    return min(policy.longest_pause, policy.first_pause * 2.0 ** min(attempts - 1, 16))


class ChannelError(Exception):
    """A channel's failure, classed. `code` is the vendor's own code, `detail` one sentence without secrets."""

    def __init__(
        self,
        fault: Fault,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(f"{fault} {code}: {detail}")
        self.fault, self.code, self.detail = fault, code, detail
        self.status, self.retry_at = status, retry_at


class Unreadable(ChannelError):
    """A document we cannot read: a SHAPE fault that names the path of the field."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(Fault.SHAPE, "unreadable", f"{path}: {why}")
        self.path, self.why = path, why


class BadSignature(Exception):
    """A webhook that is not from who it says. The sender gets 401 and nothing is stored."""
