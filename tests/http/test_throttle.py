"""The buckets, against a real Valkey; what must hold is counted, never timed."""

import subprocess
import sys
import time
from datetime import timedelta

import pytest

from hub.faults import ChannelError, Fault
from hub.model import Limit
from hub.throttle import Throttle
from tests.http.conftest import Clock, Valkey

NAMES = {"account": "shop:a1", "app": "shop:k", "ip": "shop"}
SLOW = Limit(burst=50, seconds=360_000)  # refills one token in two hours
KEY = "tb:account:shop:a1:*:50/360000"


def fill(valkey: Valkey, key: str, tokens: float) -> None:
    seconds, micros = valkey.client().time()
    valkey.client().hset(key, mapping={"tokens": str(tokens), "at": str(seconds * 1000 + micros / 1000)})


async def grants(
    throttle: Throttle, *limits: Limit, operation: str | None = None, at_most: int = 200, spare: float = 0.0
) -> int:
    """How many requests may leave right now."""
    for count in range(at_most):
        try:
            await throttle.take(limits, NAMES, operation, max_wait=0, spare=spare)
        except ChannelError:
            return count
    return at_most


async def test_a_bucket_gives_what_it_holds(valkey: Valkey):
    fill(valkey, KEY, 7.5)
    assert await grants(Throttle(valkey.url), SLOW) == 7


async def test_a_full_bucket_holds_no_more_than_its_burst(valkey: Valkey):
    valkey.client().hset(KEY, mapping={"tokens": "50", "at": "0"})  # untouched since 1970
    assert await grants(Throttle(valkey.url), SLOW) == 50


async def test_a_new_bucket_starts_with_one_token(valkey: Valkey):
    assert await grants(Throttle(valkey.url), SLOW) == 1


async def test_after_a_flush_buckets_start_empty(valkey: Valkey):
    throttle = Throttle(valkey.url)
    fill(valkey, KEY, 50)
    assert await grants(throttle, SLOW, at_most=5) == 5
    valkey.client().flushall()
    assert await grants(throttle, SLOW) == 1
    await throttle.close()


@pytest.mark.parametrize("alone", [True, False])
async def test_a_days_quota_starts_whole_and_is_spent(valkey: Valkey, clock: Clock, alone: bool):
    quota = Limit(burst=20, seconds=86_400)
    throttle = Throttle(None, clock=clock) if alone else Throttle(valkey.url)
    assert await grants(throttle, quota) == 20
    await throttle.close()


async def test_several_limits_give_together_or_not_at_all(valkey: Valkey):
    throttle = Throttle(valkey.url)
    app = Limit(burst=9, seconds=360_000, per="app")
    fill(valkey, KEY, 5)
    fill(valkey, "tb:app:shop:k:*:9/360000", 0)
    assert await grants(throttle, SLOW, app) == 0
    assert await grants(throttle, SLOW) == 5
    await throttle.close()


async def test_a_limit_of_an_operation_holds_for_that_operation_only(valkey: Valkey):
    throttle = Throttle(valkey.url)
    orders = Limit(burst=50, seconds=360_000, operation="orders")
    assert await grants(throttle, orders, operation="orders") == 1
    assert await grants(throttle, orders, operation="stock", at_most=9) == 9
    await throttle.close()


async def test_two_accounts_do_not_share_a_bucket_and_two_apps_limits_do(valkey: Valkey):
    throttle = Throttle(valkey.url)
    app = Limit(burst=50, seconds=360_000, per="app")
    other = NAMES | {"account": "shop:a2"}
    await throttle.take([SLOW], NAMES, max_wait=0)
    await throttle.take([SLOW], other, max_wait=0)
    await throttle.take([app], NAMES, max_wait=0)
    with pytest.raises(ChannelError):
        await throttle.take([app], other, max_wait=0)
    await throttle.close()


async def test_work_that_can_wait_leaves_half_of_the_burst_to_others(valkey: Valkey):
    throttle = Throttle(valkey.url)
    fill(valkey, KEY, 30)
    assert await grants(throttle, SLOW, spare=0.5) == 5
    assert await grants(throttle, SLOW) == 25, "what can not wait has all that is left"
    assert await grants(throttle, SLOW, spare=0.5) == 0
    await throttle.close()


async def test_work_that_can_wait_is_told_when_there_will_be_enough(valkey: Valkey, clock: Clock):
    throttle = Throttle(valkey.url, clock=clock, sleep=clock.sleep, now=clock.now)
    minute = Limit(burst=60, seconds=60)
    with pytest.raises(ChannelError) as refusal:  # a new bucket holds one token, and 31 are needed
        await throttle.take([minute], NAMES, spare=0.5)
    assert refusal.value.retry_at
    assert 29 < (refusal.value.retry_at - clock.now()).total_seconds() <= 30
    await throttle.close()


async def test_a_bucket_of_one_token_can_spare_none(valkey: Valkey):
    throttle = Throttle(valkey.url)
    assert await grants(throttle, Limit(burst=1, seconds=3600), spare=0.5) == 1
    await throttle.close()


async def test_with_redis_stopped_work_that_can_wait_leaves_its_share_too(clock: Clock):
    throttle = Throttle(None, clock=clock, sleep=clock.sleep, now=clock.now)
    assert await grants(throttle, SLOW) == 0
    clock.seconds += 20 * SLOW.seconds / SLOW.burst
    assert await grants(throttle, SLOW, spare=0.24) == 20 - 12
    assert await grants(throttle, SLOW) == 12


async def test_take_waits_and_then_goes(valkey: Valkey):
    throttle = Throttle(valkey.url)
    quick = Limit(burst=1, seconds=0.05)
    began = time.monotonic()
    for _ in range(4):
        await throttle.take([quick], NAMES)
    assert time.monotonic() - began >= 0.14  # never less than the limit says; how much more is the machine's
    await throttle.close()


async def test_a_wait_beyond_patience_is_told_at_once(valkey: Valkey, clock: Clock):
    throttle = Throttle(valkey.url, clock=clock, sleep=clock.sleep, now=clock.now)
    await throttle.take([Limit(burst=1, seconds=60)], NAMES)
    with pytest.raises(ChannelError) as refusal:
        await throttle.take([Limit(burst=1, seconds=60)], NAMES)
    assert (refusal.value.fault, refusal.value.code) == (Fault.THROTTLED, "own_limit")
    assert refusal.value.retry_at
    assert 59 < (refusal.value.retry_at - clock.now()).total_seconds() <= 60
    assert clock.slept == []
    await throttle.close()


PROCESS = """
import asyncio, sys, time
from hub.faults import ChannelError
from hub.model import Limit
from hub.throttle import Throttle

async def main():
    throttle = Throttle(sys.argv[1])
    limit = Limit(burst=int(sys.argv[2]), seconds=float(sys.argv[3]))
    names = {"account": "shop:a1", "app": "shop:k", "ip": "shop"}
    print("ready", flush=True)
    until = time.monotonic() + float(sys.stdin.readline())
    taken = 0
    try:
        while time.monotonic() < until:
            await throttle.take([limit], names, max_wait=float(sys.argv[4]))
            taken += 1
    except ChannelError:
        pass
    print(taken, flush=True)

asyncio.run(main())
"""


def run_two(valkey: Valkey, limit: Limit, max_wait: float, seconds: float) -> tuple[list[int], float]:
    """What each of two processes took, and how long that was at most."""
    told = [valkey.url, str(limit.burst), str(limit.seconds), str(max_wait)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, *told], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for each in running:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    began = time.monotonic()
    for each in running:
        assert each.stdin
        each.stdin.write(f"{seconds}\n")
        each.stdin.flush()
    taken = [int(each.communicate(timeout=60)[0]) for each in running]
    return taken, time.monotonic() - began


def test_two_processes_share_what_a_bucket_holds(valkey: Valkey):
    fill(valkey, KEY, 40)
    taken, _ = run_two(valkey, SLOW, max_wait=0, seconds=30)
    assert sum(taken) == 40


def test_two_processes_share_a_rate(valkey: Valkey):
    limit = Limit(burst=40, seconds=1)
    taken, took = run_two(valkey, limit, max_wait=8, seconds=1)
    assert sum(taken) <= 1 + 40 * took
    assert min(taken) > 0
    assert sum(taken) >= 10  # it does let through


async def test_a_penalty_is_honoured_by_every_process(valkey: Valkey, clock: Clock):
    one, other = Throttle(valkey.url, now=clock.now), Throttle(valkey.url, now=clock.now)
    fill(valkey, KEY, 50)
    await one.penalize("account:shop:a1", clock.now() + timedelta(seconds=30))
    for throttle in (one, other):
        with pytest.raises(ChannelError) as refusal:
            await throttle.take([SLOW], NAMES)
        assert refusal.value.retry_at
        assert 29 < (refusal.value.retry_at - clock.now()).total_seconds() <= 30
    await other.take([SLOW], NAMES | {"account": "shop:a2"}, max_wait=0)  # nobody else waits
    await one.close()
    await other.close()


async def test_a_penalty_holds_where_no_limit_is_declared_and_never_shrinks(valkey: Valkey, clock: Clock):
    one, other = Throttle(valkey.url, now=clock.now), Throttle(valkey.url, now=clock.now)
    await one.penalize("account:shop:a1", clock.now() + timedelta(seconds=60))
    await one.penalize("account:shop:a1", clock.now() + timedelta(seconds=10))
    for throttle in (one, other):
        with pytest.raises(ChannelError) as refusal:
            await throttle.take([], NAMES, max_wait=20)
        assert refusal.value.retry_at
        assert (refusal.value.retry_at - clock.now()).total_seconds() > 50
    await one.close()
    await other.close()


@pytest.mark.faults
async def test_with_redis_stopped_each_process_counts_its_share(valkey: Valkey, clock: Clock):
    throttle = Throttle(valkey.url, workers=3, clock=clock, sleep=clock.sleep, now=clock.now)
    limit = Limit(burst=30, seconds=10)  # 3 a second, so 1 a second for each of three
    valkey.stop()
    assert await grants(throttle, limit) == 0  # starts with nothing: the others may have spent it
    clock.seconds += 5
    assert await grants(throttle, limit) == 5
    clock.seconds += 1000
    assert await grants(throttle, limit) == 10  # its share of the burst
    await throttle.close()


@pytest.mark.faults
async def test_with_redis_stopped_a_penalty_still_holds_here(valkey: Valkey, clock: Clock):
    throttle = Throttle(valkey.url, clock=clock, sleep=clock.sleep, now=clock.now)
    valkey.stop()
    await throttle.penalize("account:shop:a1", clock.now() + timedelta(seconds=30))
    with pytest.raises(ChannelError):
        await throttle.take([], NAMES)
    clock.seconds += 31
    await throttle.take([], NAMES)
    await throttle.close()


@pytest.mark.faults
async def test_a_redis_that_hangs_costs_one_short_wait_and_is_left_alone(valkey: Valkey, clock: Clock):
    throttle = Throttle(valkey.url, clock=clock, sleep=clock.sleep, now=clock.now)
    await throttle.take([], NAMES)
    valkey.freeze()
    began = time.monotonic()
    for _ in range(20):
        await throttle.take([], NAMES)
    assert time.monotonic() - began < 2.5  # one patience of 0.25 s and not twenty
    valkey.thaw()
    clock.seconds += 2.1
    fill(valkey, KEY, 3)
    assert await grants(throttle, SLOW) == 3  # asked again
    await throttle.close()


@pytest.mark.faults
async def test_what_was_spent_alone_is_not_in_the_bucket_when_redis_is_back(valkey: Valkey, clock: Clock):
    throttle = Throttle(valkey.url, clock=clock, sleep=clock.sleep, now=clock.now)
    valkey.freeze()
    assert await grants(throttle, SLOW) == 0
    clock.seconds += 3 * 7200
    assert await grants(throttle, SLOW) == 3
    valkey.thaw()
    fill(valkey, KEY, 50)
    clock.seconds += 3
    assert await grants(throttle, SLOW) == 1
    await throttle.close()
