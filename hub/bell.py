"""The bell: "wake up and drain this lane". It carries nothing, and losing it loses nothing: a sweep rings again.

The key is our own, not RQ's `unique`: a ring while the job runs must count, and a killed job must not stay deaf.
"""

import asyncio
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

DRAIN = "jobs.worker.drain"  # by dotted name: who rings does not import who answers
HELD_SECONDS = 5  # how long one ring stands for all; a drain takes the key away first
MUTE_SECONDS = 2.0  # how long a Redis that did not answer is left alone
PATIENCE = 0.25


class Bell:
    """Rings lanes. Made once per process; safe to use from any event loop or thread."""

    def __init__(self, redis_url: str, shards: int) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._shards = shards
        self._mute_until = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell")
        self._asked: set[tuple[str, int]] = set()

    def shard_of(self, account_id: UUID) -> int:
        """Which shard an account belongs to."""
        return zlib.crc32(account_id.bytes) % self._shards

    def ring(self, lane: str, shard: int) -> bool:
        """Ring and wait for it (at most PATIENCE per step). False: Redis is away."""
        if time.monotonic() < self._mute_until:
            return False
        try:
            if self._redis.set(f"bell:{lane}:{shard}", "1", nx=True, ex=HELD_SECONDS):
                queue = Queue(lane, connection=self._redis, serializer=JSONSerializer)
                queue.enqueue(DRAIN, lane, shard, job_timeout=-1, result_ttl=0, failure_ttl=0, ttl=60)
        except RedisError:
            self._mute_until = time.monotonic() + MUTE_SECONDS
            return False
        return True

    def unring(self, lane: str, shard: int) -> None:
        """Take the key away, so that whoever rings from here on is heard."""
        try:
            self._redis.delete(f"bell:{lane}:{shard}")
        except RedisError:
            self._mute_until = time.monotonic() + MUTE_SECONDS

    def answers(self) -> bool:
        """Whether Redis answers (remembered for MUTE_SECONDS when it does not)."""
        if time.monotonic() < self._mute_until:
            return False
        try:
            self._redis.ping()
        except RedisError:
            self._mute_until = time.monotonic() + MUTE_SECONDS
            return False
        return True

    def ring_soon(self, lane: str, account_id: UUID) -> None:
        """Ring off the event loop; nobody waits, rings asked meanwhile are one."""
        asked = (lane, self.shard_of(account_id))
        if asked in self._asked:
            return
        self._asked.add(asked)
        self._thread.submit(self._ring_asked, asked)

    def _ring_asked(self, asked: tuple[str, int]) -> None:
        self._asked.discard(asked)
        self.ring(*asked)

    async def ring_now(self, lane: str, shard: int) -> bool:
        """Ring off the event loop and say whether it was heard."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.ring, lane, shard)

    def close(self) -> None:
        """Let the thread and the connection go."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._redis.close()
