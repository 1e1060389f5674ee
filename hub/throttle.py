"""What holds a request back: token buckets shared in Redis.

Keys: `tb:{per}:{name}:{operation or *}:{burst}/{seconds}` is a bucket, a hash of `tokens` and `at` (server
time in milliseconds); `tb:penalty:{per}:{name}` exists for as long as a vendor told that scope to wait.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from hub.faults import ChannelError, Fault
from hub.model import Limit

MAX_WAIT = 8.0  # longer than this the worker does better to turn to other accounts
REDIS_PATIENCE = 0.25
REDIS_DOWN_FOR = 2.0  # how long a Redis that did not answer is left alone
DAY = 86_400
IDLE_SECONDS = 86_400  # a bucket nobody touched for a day starts again as a new one

# Either every bucket gives a token, or none does and the longest wait comes back, in milliseconds.
# A bucket not seen before holds one token, never its burst: after a flush nobody knows what was spent. A day's quota
# starts whole: from one token it would stand still for hours, and what is spent already the vendor will say.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local buckets = tonumber(ARGV[1])
local wait, left = 0, {}
for i = buckets + 1, #KEYS do
  wait = math.max(wait, redis.call('PTTL', KEYS[i]))
end
for i = 1, buckets do
  local burst, rate, spent = tonumber(ARGV[5 * i - 3]), tonumber(ARGV[5 * i - 2]), ARGV[5 * i - 1] == '1'
  local least, tokens = 1 + tonumber(ARGV[5 * i]), tonumber(ARGV[5 * i + 1])
  local kept = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  if kept[1] then
    tokens = math.min(burst, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
  end
  if spent then
    tokens = math.min(1, tokens)
  end
  if tokens < least - 1e-9 then
    wait = math.max(wait, (least - tokens) / rate)
  end
  left[i] = tokens - 1
end
if wait > 0 then
  return math.ceil(wait)
end
for i = 1, buckets do
  redis.call('HSET', KEYS[i], 'tokens', tostring(left[i]), 'at', string.format('%.3f', now))
  redis.call('EXPIRE', KEYS[i], ARGV[#ARGV])
end
return 0
"""

# What TAKE would find, and nothing taken: the server's time, then tokens and time of each bucket, then each penalty.
LOOK = """
local time = redis.call('TIME')
local told = {string.format('%.3f', time[1] * 1000 + time[2] / 1000)}
for i = 1, tonumber(ARGV[1]) do
  local kept = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  told[#told + 1], told[#told + 2] = kept[1] or '', kept[2] or ''
end
for i = tonumber(ARGV[1]) + 1, #KEYS do
  told[#told + 1] = tostring(redis.call('PTTL', KEYS[i]))
end
return told
"""

# A penalty only ever grows.
PENALIZE = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
"""


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


def scope_of(per: str, name: str) -> str:
    """How a scope is written in keys and for `penalize`: `account:vtex:0192…`."""
    return f"{per}:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What is left of a limit: `tokens` of `burst`. `alone`: a bucket of this process alone, Redis being away.

    `used` is false for a bucket that nobody drew on lately; one in use refills at `burst / seconds` a second.
    """

    limit: Limit
    tokens: float
    burst: float
    used: bool
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What is left of every limit, and how long (seconds) those were told to wait who share one, by `per`."""

    levels: tuple[Level, ...]
    penalties: Mapping[str, float]
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Whether a caller of ours may go on: `wait` seconds until it may (0: now), and how many more it has left."""

    wait: float
    left: int


@dataclass(slots=True)
class _Local:
    """A bucket of this process alone."""

    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One bucket that a request must take a token of."""

    key: str
    limit: Limit
    spare: float  # share of the burst that must be left over

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.limit.burst / self.limit.seconds

    @property
    def is_quota(self) -> bool:
        """Whether it is a day's quota."""
        return self.limit.seconds == DAY

    def kept(self, burst: float) -> float:
        """Tokens that a bucket of that burst must still hold afterwards; a bucket of one token can spare none."""
        return max(0.0, min(self.spare * burst, burst - 1))


class Throttle:
    """The buckets of all processes; with Redis away, this process's own share of them.

    `workers` is how many processes share a limit when each counts alone. Without `redis_url` that is always.
    """

    def __init__(
        self,
        redis_url: str | None,
        *,
        workers: int = 1,
        max_wait: float = MAX_WAIT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._redis = _connect(redis_url) if redis_url else None
        self._take_script = self._redis.register_script(TAKE) if self._redis else None
        self._penalize_script = self._redis.register_script(PENALIZE) if self._redis else None
        self._look_script = self._redis.register_script(LOOK) if self._redis else None
        self._workers, self.max_wait = max(1, workers), max_wait
        self._clock, self._sleep, self._now = clock, sleep, now
        self._redis_down_until = -math.inf
        self._local: dict[str, _Local] = {}
        self._spent_alone: set[str] = set()  # buckets that this process drew on while Redis was away
        self._penalties: dict[str, float] = {}  # scope -> end, on our clock

    async def take(
        self,
        limits: Sequence[Limit],
        names: Mapping[str, str],
        operation: str | None = None,
        *,
        max_wait: float | None = None,
        spare: float = 0.0,
    ) -> None:
        """Return when every limit that holds for the operation has given a token; all are taken at once.

        `names` maps a limit's `per` to who shares it. `spare`, from 0 to 1: work that can wait takes a token only
        where this share of the burst is left over for others. Raises ChannelError THROTTLED with `retry_at`, at
        once, when that would take more than `max_wait` seconds.
        """
        wanted = [
            _Wanted(_key(limit, names), limit, spare)
            for limit in limits
            if limit.operation is None or limit.operation == operation
        ]
        scopes = [scope_of(per, name) for per, name in names.items()]
        patience = self.max_wait if max_wait is None else max_wait
        while wait := await self._ask(wanted, scopes):
            if wait > patience:
                retry_at = self._now() + timedelta(seconds=wait)
                raise ChannelError(Fault.THROTTLED, "own_limit", f"our limit frees in {wait:.1f} s", retry_at=retry_at)
            wait += random.uniform(0, min(0.05, wait / 4))  # waiters should not wake as one
            patience -= wait
            await self._sleep(wait)

    async def allow(self, limit: Limit, name: str) -> Allowance | None:
        """Take a token for a caller of ours: its bucket starts whole. None with Redis away: nobody counts then."""
        key = _key(limit, {limit.per: name})
        rate = limit.burst / limit.seconds / 1000
        told = await self._run(self._take_script, [key], [1, limit.burst, rate, 0, 0, limit.burst, IDLE_SECONDS])
        seen = await self._looked([key], []) if told is not None else None
        if told is None or seen is None:
            return None
        left = _level(limit, seen[1], seen[2], float(seen[0])).tokens
        return Allowance(wait=told / 1000, left=0 if told else int(left))

    async def penalize(self, scope: str, until: datetime) -> None:
        """Nobody takes a token of this scope before `until`, in any process."""
        seconds = (until - self._now()).total_seconds()
        if seconds <= 0:
            return
        self._penalties[scope] = max(self._penalties.get(scope, -math.inf), self._clock() + seconds)
        await self._run(self._penalize_script, [f"tb:penalty:{scope}"], [math.ceil(seconds * 1000)])

    async def left(self, limits: Sequence[Limit], names: Mapping[str, str]) -> Levels:
        """What is left of each limit right now; no token is taken and no bucket is made.

        `names` as for `take`. With Redis away: what this process may still take by itself.
        """
        now, keys = self._clock(), [_key(limit, names) for limit in limits]
        here = {per: self._penalty([scope_of(per, name)]) for per, name in names.items()}
        told = await self._looked(keys, [f"tb:penalty:{scope_of(per, name)}" for per, name in names.items()])
        if told is None:
            levels = tuple(self._level_alone(limit, key, now) for limit, key in zip(limits, keys, strict=True))
            return Levels(levels=levels, penalties={per: left for per, left in here.items() if left > 0}, alone=True)
        at, pairs, waits = float(told[0]), told[1 : 1 + 2 * len(keys)], told[1 + 2 * len(keys) :]
        levels = tuple(
            _level(limit, tokens, since, at)
            for limit, tokens, since in zip(limits, pairs[::2], pairs[1::2], strict=True)
        )
        both = {per: max(here[per], float(wait) / 1000) for per, wait in zip(names, waits, strict=True)}
        return Levels(levels=levels, penalties={per: left for per, left in both.items() if left > 0}, alone=False)

    async def _looked(self, buckets: Sequence[str], penalties: Sequence[str]) -> list[str] | None:
        """What LOOK answers; None when Redis is away."""
        if self._look_script is None or self._clock() < self._redis_down_until:
            return None
        try:
            async with asyncio.timeout(REDIS_PATIENCE):
                told = await self._look_script(keys=[*buckets, *penalties], args=[len(buckets)])
        except (RedisError, OSError):  # OSError covers TimeoutError
            self._redis_down_until = self._clock() + REDIS_DOWN_FOR
            return None
        return [each.decode() if isinstance(each, bytes) else str(each) for each in told]

    def _level_alone(self, limit: Limit, key: str, now: float) -> Level:
        burst = max(1.0, limit.burst / self._workers)
        bucket = self._local.get(key)
        if bucket is None:
            return Level(limit=limit, tokens=_unused(limit, burst), burst=burst, used=False, alone=True)
        refilled = bucket.tokens + max(0.0, now - bucket.at) * limit.burst / limit.seconds / self._workers
        return Level(limit=limit, tokens=min(burst, refilled), burst=burst, used=True, alone=True)

    async def close(self) -> None:
        """Let go of Redis."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _ask(self, wanted: Sequence[_Wanted], scopes: Sequence[str]) -> float:
        """Seconds to wait; 0 when the tokens are taken."""
        if penalty := self._penalty(scopes):
            return penalty
        keys = [each.key for each in wanted] + [f"tb:penalty:{scope}" for scope in scopes]
        args: list[Any] = [len(wanted)]
        for each in wanted:
            burst = each.limit.burst
            spent = each.key in self._spent_alone and not each.is_quota
            args += [burst, each.rate / 1000, int(spent), each.kept(burst), burst if each.is_quota else 1]
        told = await self._run(self._take_script, keys, [*args, IDLE_SECONDS])
        if told is None:
            return self._take_alone(wanted)
        if told == 0:
            self._spent_alone.difference_update(keys)
        return float(told) / 1000

    async def _run(self, script: Any, keys: Sequence[str], args: Sequence[Any]) -> int | None:
        """The script's answer, 0 for nil; None when Redis is away, which is remembered for a while."""
        if script is None or self._clock() < self._redis_down_until:
            return None
        try:
            async with asyncio.timeout(REDIS_PATIENCE):
                return int(await script(keys=keys, args=args) or 0)
        except (RedisError, OSError):  # OSError covers TimeoutError
            self._redis_down_until = self._clock() + REDIS_DOWN_FOR
            return None

    def _penalty(self, scopes: Sequence[str]) -> float:
        now = self._clock()
        for scope in scopes:
            if self._penalties.get(scope, now) < now:
                del self._penalties[scope]
        return max((self._penalties[scope] - now for scope in scopes if scope in self._penalties), default=0)

    def _take_alone(self, wanted: Sequence[_Wanted]) -> float:
        """As the script does, with this process's share of each rate; a bucket starts with nothing in it."""
        now, wait, taken = self._clock(), 0.0, []
        for each in wanted:
            rate = each.rate / self._workers
            burst = max(1.0, each.limit.burst / self._workers)
            bucket = self._local.setdefault(each.key, _Local(burst if each.is_quota else 0.0, now))
            tokens = bucket.tokens + max(0.0, now - bucket.at) * rate
            bucket.tokens, bucket.at = min(tokens, burst), now
            least = 1 + each.kept(burst)
            wait = max(wait, (least - bucket.tokens) / rate if bucket.tokens < least - 1e-9 else 0.0)
            taken.append(bucket)
        if not wait:
            for bucket in taken:
                bucket.tokens -= 1
            self._spent_alone.update(each.key for each in wanted)
        return wait


def _connect(redis_url: str) -> "Redis":
    once = Retry(NoBackoff(), 0)  # redis-py would try again by itself, for seconds
    return Redis.from_url(redis_url, socket_timeout=REDIS_PATIENCE, socket_connect_timeout=REDIS_PATIENCE, retry=once)


def _key(limit: Limit, names: Mapping[str, str]) -> str:
    scope = scope_of(limit.per, names[limit.per])
    return f"tb:{scope}:{limit.operation or '*'}:{limit.burst}/{limit.seconds:g}"


def _level(limit: Limit, tokens: str, since: str, now: float) -> Level:
    """A bucket as it is kept in Redis: `tokens` at `since` ms; empty where it is not."""
    burst = float(limit.burst)
    if not tokens:
        return Level(limit=limit, tokens=_unused(limit, burst), burst=burst, used=False, alone=False)
    refilled = float(tokens) + max(0.0, now - float(since)) * limit.burst / limit.seconds / 1000
    return Level(limit=limit, tokens=max(0.0, min(burst, refilled)), burst=burst, used=True, alone=False)


def _unused(limit: Limit, burst: float) -> float:
    """What a bucket that is not there yet starts with: see TAKE."""
    return burst if limit.seconds == DAY else 1.0
