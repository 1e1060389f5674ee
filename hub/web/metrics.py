"""/metrics for Prometheus: figures of the installation, without a word of any seller; for this machine, or by token."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from hub.secrets import same
from hub.store import metrics
from hub.throttle import utc_now
from hub.web.keys import RUNTIME
from jobs.runtime import Runtime, log

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # seconds from a change to a channel's answer
SETTLED = timedelta(seconds=5)  # a push is kept some time after it was answered: until then it is not counted
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@dataclass(slots=True)
class Pushed:
    """Stock writes since this process began: a counter never falls, whatever is pruned."""

    until: datetime
    outcomes: Counter[str] = field(default_factory=Counter)
    buckets: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count what was answered meanwhile."""
        for row in rows:
            self.outcomes[row["outcome"]] += row["count"]
            if row["bucket"] is not None and row["outcome"] == "accepted":
                self.buckets[row["bucket"]] += row["count"]
                self.seconds += row["seconds"]


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What one scrape found."""

    now: datetime
    proofs: Sequence[Mapping[str, Any]]
    lanes: Sequence[Mapping[str, Any]]
    drifts: Sequence[Mapping[str, Any]]
    pushed: Pushed

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants them."""
        yield from self._proved()
        due = GaugeMetricFamily("balcao_due", "Work that is due and that nobody holds.", labels=["lane"])
        age = GaugeMetricFamily("balcao_due_oldest_seconds", "How long the oldest of it is due.", labels=["lane"])
        for row in self.lanes:
            due.add_metric([row["lane"]], row["count"])
            age.add_metric([row["lane"]], self._since(row["oldest"]))
        yield from (due, age)
        drift = GaugeMetricFamily("balcao_drift_open", "Open differences to channels.", labels=["class", "state"])
        for row in self.drifts:
            drift.add_metric([row["class"], row["state"]], row["count"])
        yield drift
        yield from self._pushes()

    def _proved(self) -> Iterator[Metric]:
        checked = [row for row in self.proofs if row["at"] is not None]
        broken = sum(row["broken_count"] for row in checked)
        yield GaugeMetricFamily("balcao_invariants_broken", "Invariants that the last checks found broken.", broken)
        bad = sum(1 for row in checked if row["broken_count"])
        yield GaugeMetricFamily("balcao_invariants_sellers_broken", "Sellers with a broken invariant.", bad)
        unchecked = len(self.proofs) - len(checked)
        yield GaugeMetricFamily("balcao_invariants_sellers_unchecked", "Sellers never checked.", unchecked)
        if checked:
            oldest = min(row["at"] for row in checked).timestamp()
            text = "When the seller was checked whose last check is the longest ago."
            yield GaugeMetricFamily("balcao_invariants_checked_timestamp_seconds", text, oldest)

    def _pushes(self) -> Iterator[Metric]:
        outcomes = CounterMetricFamily("balcao_pushes", "Stock writes that channels answered.", labels=["outcome"])
        for outcome, count in sorted(self.pushed.outcomes.items()):
            outcomes.add_metric([outcome], count)
        yield outcomes
        total, buckets = 0, []
        for place, bound in enumerate([*map(str, BOUNDS), "+Inf"]):
            total += self.pushed.buckets[place]
            buckets.append((bound, total))
        text = "Seconds from a change that reached the hub to the channel's answer."
        yield HistogramMetricFamily("balcao_propagation_seconds", text, buckets=buckets, sum_value=self.pushed.seconds)

    def _since(self, at: datetime | None) -> float:
        return max(0.0, (self.now - at).total_seconds()) if at else 0.0


async def figures(rt: Runtime, pushed: Pushed) -> Figures:
    """Ask the database for all of it."""
    now = rt.now()
    async with pushed.gate, rt.db.dispatch() as tx:
        if pushed.until < now - SETTLED:
            pushed.add(await metrics.pushes(tx, pushed.until, now - SETTLED, BOUNDS))
            pushed.until = now - SETTLED
        return Figures(now, await metrics.proofs(tx), await metrics.lanes(tx, now), await metrics.drifts(tx), pushed)


def may_read(request: web.Request, token: str | None) -> bool:
    """Whether it comes from this very machine, not through a proxy on it, or shows the token."""
    shown = request.headers.get("Authorization", "")
    if token and shown.startswith("Bearer ") and same(shown.removeprefix("Bearer ").strip(), token):
        return True
    try:
        near = ip_address((request.remote or "").partition("%")[0]).is_loopback
    except ValueError:  # a unix socket has no address: somebody stands between
        return False
    return near and not any(name in request.headers for name in FORWARDED)


def setup(app: web.Application, token: str | None) -> None:
    """Answer /metrics."""
    pushed = Pushed(utc_now() - SETTLED)

    async def answer(request: web.Request) -> web.Response:
        if not may_read(request, token):
            told = "show the token of BALCAO_METRICS_TOKEN, or ask from this machine itself\n"
            return web.Response(status=401, text=told, headers={"WWW-Authenticate": "Bearer"})
        rt = request.app[RUNTIME]
        registry = CollectorRegistry(auto_describe=False)
        try:
            async with asyncio.timeout(10):
                registry.register(await figures(rt, pushed))
        except Exception as problem:  # noqa: BLE001 - what this process counts is told, whatever the database does
            log.warning("metrics without the database", reason=f"{type(problem).__name__}: {problem}")
        body = generate_latest(REGISTRY) + generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/metrics", answer)
