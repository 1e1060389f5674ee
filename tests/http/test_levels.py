"""What is left of the limits: read without taking anything, from Redis or, with Redis away, of this process alone."""

from datetime import timedelta

from hub.model import Limit
from hub.throttle import Throttle
from tests.http.conftest import Clock, Valkey
from tests.http.test_throttle import KEY, NAMES, SLOW, fill, grants

QUOTA = Limit(burst=20, seconds=86_400)


async def test_looking_takes_nothing_and_makes_no_bucket(valkey: Valkey):
    throttle = Throttle(valkey.url)
    fill(valkey, KEY, 7)
    for _ in range(5):
        await throttle.left([SLOW, QUOTA], NAMES)
    told = await throttle.left([SLOW, QUOTA], NAMES)
    slow, quota = told.levels
    assert (int(slow.tokens), slow.burst, slow.used, slow.alone) == (7, 50, True, False)
    assert (quota.tokens, quota.used) == (20, False)
    assert valkey.client().keys("*") == [KEY.encode()]
    assert await grants(throttle, SLOW) == 7
    assert int((await throttle.left([SLOW], NAMES)).levels[0].tokens) == 0
    await throttle.close()


async def test_a_bucket_has_refilled_since_and_never_above_its_burst(valkey: Valkey):
    throttle = Throttle(valkey.url)
    valkey.client().hset(KEY, mapping={"tokens": "50", "at": "0"})
    assert (await throttle.left([SLOW], NAMES)).levels[0].tokens == 50
    await throttle.close()


async def test_a_penalty_is_told_by_who_waits_also_one_of_another_process(valkey: Valkey):
    one, two = Throttle(valkey.url), Throttle(valkey.url)
    assert (await one.left([SLOW], NAMES)).penalties == {}
    await two.penalize("app:shop:k", two._now() + timedelta(seconds=30))
    told = (await one.left([SLOW], NAMES)).penalties
    assert list(told) == ["app"]
    assert 25 < told["app"] <= 31
    for each in (one, two):
        await each.close()


async def test_with_redis_away_it_is_this_process_alone(valkey: Valkey, clock: Clock):
    throttle = Throttle(valkey.url, workers=2, clock=clock, sleep=clock.sleep, now=clock.now)
    fill(valkey, KEY, 7)
    valkey.stop()
    told = await throttle.left([SLOW], NAMES)
    assert told.alone
    assert (told.levels[0].burst, told.levels[0].used) == (25, False)
    assert await grants(throttle, SLOW) == 0
    clock.seconds += 10 * SLOW.seconds / SLOW.burst + 1  # half of the rate is ours
    (level,) = (await throttle.left([SLOW], NAMES)).levels
    assert (int(level.tokens), level.used, level.alone) == (5, True, True)
    assert await grants(throttle, SLOW) == 5, "the look took none"
    await throttle.close()
