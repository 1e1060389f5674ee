"""What happens in one run: events made of a seed, each meaning the same when others are left out."""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

SKUS = tuple(f"S{n:02}" for n in range(1, 11))
KITS = {"K1": {"S01": 1, "S02": 2}, "K2": {"S02": 1, "S03": 1}, "K3": {"K1": 1, "S04": 3}}
CODES = (*SKUS, *KITS)
UNLINKED = "X01"  # listed under a code that no SKU has, until somebody links it
THEIRS = "F01"  # a listing of S03 that the marketplace fulfils, from units that were sent to it
WAREHOUSES = ("principal", "filial")
SHOPS = ("alfa", "beta", "gama")
WORKERS = 3
# Some things are wanted more than others, so that they sell out.
LISTED = (*CODES, UNLINKED, THEIRS)
WANTED = (*(1 + 6 * (n % 4 == 0) for n in range(len(CODES))), 2, 2)
SEEN_OFF = 0.98  # of the purchases come to an end, or more and more would wait
RELINKED = 30_000  # events; a link changes every order that ever sold the listing, and these become many
SETTLED = 90.0  # seconds after the last thing that befalls a purchase until the shop looks into its books


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens `at` seconds. `number` names it; `of` is the purchase that it is about."""

    number: int
    at: float
    kind: str
    of: int = 0
    shop: str = ""
    wanted: tuple[tuple[str, int], ...] = ()
    code: str = ""
    place: str = ""
    amount: int = 0
    name: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        told = [f"#{self.number} {self.at:.2f}s {self.kind}"]
        told += [f"of #{self.of}"] if self.of else []
        told += [part for part in (self.shop, self.code, self.place, self.name) if part]
        told += [f"{units} x {code}" for code, units in self.wanted]
        told += [str(self.amount)] if self.amount else []
        told += [f"{self.seconds:.1f}s"] if self.seconds else []
        return " ".join(told)


# What befalls a purchase: chance, mean seconds after the one before.
_FATES = (
    ("pay", 0.9, 4.0), ("edit", 0.15, 5.0), ("cancel part", 0.1, 5.0), ("cancel", 0.15, 15.0), ("part", 0.25, 15.0),
    ("dispatch", 0.8, 10.0), ("deliver", 0.7, 10.0), ("give back", 0.3, 10.0), ("give back", 0.2, 5.0),
)  # fmt: skip
# What the seller does, and what goes wrong around: how often each, of ten thousand.
_TROUBLES = {"count": 2000, "adjust": 1000, "transfer": 1500, "buffer": 700, "relink": 600, "stop": 2000, "stall": 800,
             "weather": 1300, "tokens": 100}  # fmt: skip
_FAULTS = frozenset({"stop", "stall", "weather", "tokens"})
# Seconds between two buyers: mostly a Black Friday, where a sale meets hundreds under way; sometimes a quiet day.
PACES, PACE_WEIGHTS = (0.05, 0.1, 0.25, 1.0, 3.0), (14, 16, 7, 2, 1)
SUPPLIES = (0.5, 0.9, 2.0)  # units that come in for each unit that is asked for
ASKED = 5.7  # plain units that an average buyer asks for
PARCEL = 120.0  # units that an average delivery brings


@dataclass(slots=True)
class Story:
    """The events of a seed in order of time, without an end. `calm` leaves the faults out.

    `close` shuts the shops: nobody buys any more, and the events end with what was begun before.
    """

    seed: int
    calm: bool = False
    pace: float = 0.0
    supply: float = 0.0
    _random: random.Random = field(default_factory=random.Random)
    _coming: list[tuple[float, int, Event]] = field(default_factory=list)
    _count: int = 0
    _open: bool = True

    def __post_init__(self) -> None:
        self._random = random.Random(f"story {self.seed}")
        self.pace = self._random.choices(PACES, weights=PACE_WEIGHTS)[0]
        self.supply = self._random.choice(SUPPLIES)

    def close(self) -> None:
        """No more buyers."""
        self._open = False

    def __iter__(self) -> Iterator[Event]:
        at = 20.0
        while self._open:
            at += self._random.expovariate(1 / self.pace)
            self._purchase(at)
            self._around(at)
            yield from self._until(at)
        yield from self._until(math.inf)

    def _until(self, at: float) -> Iterator[Event]:
        while self._coming and self._coming[0][0] <= at:
            event = heapq.heappop(self._coming)[2]
            if self._open or event.kind != "buy":
                yield event

    def _add(self, at: float, kind: str, **told: object) -> int:
        self._count += 1
        event = Event(number=self._count, at=round(at, 3), kind=kind, **told)  # type: ignore[arg-type]
        heapq.heappush(self._coming, (event.at, event.number, event))
        return self._count

    def _purchase(self, at: float) -> None:
        rnd = self._random
        codes = rnd.choices(LISTED, weights=WANTED, k=rnd.choice((1, 1, 2, 3)))
        wanted = tuple((code, rnd.choice((1, 1, 1, 2, 3))) for code in dict.fromkeys(codes))
        bought = self._add(at, "buy", shop=rnd.choice(SHOPS), wanted=wanted)
        for kind, chance, mean in _FATES:
            if rnd.random() < chance:
                at += rnd.choice((0.05, 0.4, 1.0, 1.0)) * rnd.expovariate(1 / mean)
                amount = rnd.choice((-2, -1, 1, 2)) if kind == "edit" else rnd.randrange(3)
                name = rnd.choice(("sellable", "sellable", "damaged")) if kind == "give back" else ""
                self._add(at, kind, of=bought, amount=amount, name=name)
        if rnd.random() < SEEN_OFF:  # sent, if it is paid; else given up
            at += rnd.expovariate(1 / 60)
            for kind in ("dispatch", "cancel"):
                self._add(at, kind, of=bought)
        self._add(at + SETTLED, "close", of=bought)

    def _around(self, at: float) -> None:
        rnd = self._random
        if rnd.random() < self.supply * ASKED / PARCEL:
            code = rnd.choices((*SKUS, "S02", "S04", "S04"), weights=(*WANTED[: len(SKUS)], 7, 11, 11))[0]
            place = rnd.choices(WAREHOUSES, weights=(2, 1))[0]
            self._add(at, "receive", code=code, place=place, amount=rnd.choice((15, 65, 150, 250)))
        if rnd.random() < min(0.6, 0.15 + 0.4 * self.pace):
            self._trouble(at + rnd.uniform(0, self.pace))

    def _trouble(self, at: float) -> None:
        rnd = self._random
        kind = rnd.choices(list(_TROUBLES), weights=list(_TROUBLES.values()))[0]
        code, place, shop = rnd.choice(SKUS), rnd.choice(WAREHOUSES), rnd.choice(SHOPS)
        if kind in _FAULTS and self.calm:
            return
        match kind:
            case "count":
                self._add(at, kind, code=code, place=place, amount=rnd.choice((0, 1, 3, 8, 20, 40, 80)))
            case "adjust":
                self._add(at, kind, code=code, place=place, amount=rnd.choice((-8, -2, -1, 1, 3, 12)))
            case "transfer":
                self._transfer(at, code, place)
            case "buffer":
                name, amount = rnd.choice(("units", "percent", "least", "most")), rnd.choice((1, 2, 5, 30))
                begun = self._add(at, kind, shop=shop, name=name, amount=amount)
                if rnd.random() < 0.6:  # others stay
                    self._add(at + rnd.uniform(1, 60), "unbuffer", of=begun, shop=shop)
            case "relink" if self._count < RELINKED:
                listed = rnd.choice((*CODES[:4], UNLINKED))
                self._add(at, kind, shop=shop, code=listed, name=rnd.choice(CODES), amount=rnd.choice((1, 1, 2, 3)))
            case "stop":
                name, seconds = rnd.choice(("before", "after")), rnd.uniform(0.2, 3)
                self._add(at, kind, amount=rnd.randrange(12), name=name, seconds=seconds)
            case "stall":
                self._add(at, kind, amount=rnd.randrange(12), seconds=rnd.choice((5.0, 13.0, 35.0, 70.0)))
            case "weather":
                name = rnd.choice(("refuse", "fail", "hang", "cut", "late", "lose", "double", "slow"))
                amount = rnd.choice((10, 30, 60)) if name != "slow" else 1000
                self._add(at, kind, shop=shop, name=name, amount=amount, seconds=rnd.uniform(3, 40))
            case "tokens":
                self._add(at, kind, shop="beta")
            case _:
                pass

    def _transfer(self, at: float, code: str, place: str) -> None:
        """Units leave one warehouse for another; later all of them arrive, or a part, or the rest is lost, or none."""
        rnd = self._random
        name = rnd.choice(("", "with orders"))
        sent = self._add(at, "transfer", code=code, place=place, amount=rnd.choice((1, 3, 10)), name=name)
        for _ in range(rnd.choice((1, 2))):
            at += rnd.expovariate(1 / 10)
            self._add(at, "arrive", of=sent, name=rnd.choice(("all", "part", "part", "lost", "back")))
