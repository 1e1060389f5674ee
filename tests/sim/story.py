"""What happens in one run: a list of events made of a seed, each meaning the same when others are left out."""

import random
from dataclasses import dataclass

SKUS = tuple(f"S{n:02}" for n in range(1, 11))
KITS = {"K1": {"S01": 1, "S02": 2}, "K2": {"S02": 1, "S03": 1}, "K3": {"K1": 1, "S04": 3}}
CODES = (*SKUS, *KITS)
WAREHOUSES = ("principal", "filial")
SHOPS = ("alfa", "beta", "gama")
WORKERS = 3


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
_FATES = (("pay", 0.9, 4.0), ("edit", 0.15, 5.0), ("cancel", 0.15, 15.0), ("part", 0.25, 15.0), ("dispatch", 0.8, 10.0),
          ("deliver", 0.7, 10.0), ("give back", 0.3, 10.0), ("give back", 0.2, 5.0))  # fmt: skip


@dataclass(slots=True)
class _Writer:
    random: random.Random
    events: list[Event]
    calm: bool

    def add(self, at: float, kind: str, **told: object) -> int:
        number = len(self.events) + 1
        self.events.append(Event(number=number, at=round(at, 3), kind=kind, **told))  # type: ignore[arg-type]
        return number

    def purchase(self, at: float) -> None:
        rnd = self.random
        # Some things are wanted more than others, so that they sell out.
        codes = rnd.choices(
            CODES, weights=[1 + 6 * (n % 4 == 0) for n in range(len(CODES))], k=rnd.choice((1, 1, 2, 3))
        )
        wanted = tuple((code, rnd.choice((1, 1, 1, 2, 3))) for code in dict.fromkeys(codes))
        bought = self.add(at, "buy", shop=rnd.choice(SHOPS), wanted=wanted)
        for kind, chance, mean in _FATES:
            if rnd.random() < chance:
                at += rnd.choice((0.05, 0.4, 1.0, 1.0)) * rnd.expovariate(1 / mean)
                amount = rnd.choice((-2, -1, 1, 2)) if kind == "edit" else rnd.randrange(3)
                self.add(at, kind, of=bought, amount=amount)

    def trouble(self, at: float) -> None:
        rnd = self.random
        kind = rnd.choices(("count", "relink", "stop", "stall", "weather", "tokens"), weights=(5, 1, 4, 2, 3, 1))[0]
        match kind:
            case "count":
                amount = rnd.choice((0, 1, 3, 8, 20, 40, 80))
                self.add(at, kind, code=rnd.choice(SKUS), place=rnd.choice(WAREHOUSES), amount=amount)
            case "relink":
                self.add(at, kind, shop=rnd.choice(SHOPS), code=rnd.choice(CODES[:4]), name=rnd.choice(CODES))
            case "stop" if not self.calm:
                self.add(
                    at,
                    kind,
                    amount=rnd.randrange(12),
                    name=rnd.choice(("before", "after")),
                    seconds=rnd.uniform(0.2, 3),
                )
            case "stall" if not self.calm:
                self.add(at, kind, amount=rnd.randrange(12), seconds=rnd.choice((5.0, 13.0, 35.0, 70.0)))
            case "weather" if not self.calm:
                name = rnd.choice(("refuse", "fail", "hang", "cut", "late", "lose", "double", "slow"))
                amount = rnd.choice((10, 30, 60)) if name != "slow" else 1000
                self.add(at, kind, shop=rnd.choice(SHOPS), name=name, amount=amount, seconds=rnd.uniform(3, 40))
            case "tokens" if not self.calm:
                self.add(at, kind, shop="beta")
            case _:
                pass


def story(seed: int, orders: int, *, calm: bool = False) -> list[Event]:
    """The events of a seed in order of time. `calm` leaves the faults out."""
    rnd = random.Random(f"story {seed}")
    writer = _Writer(rnd, [], calm)
    at, pace = 20.0, rnd.choice((0.3, 1.0, 3.0))
    for _ in range(orders):
        at += rnd.expovariate(1 / pace)
        writer.purchase(at)
        if rnd.random() < 0.6:
            writer.trouble(at + rnd.uniform(0, pace))
    return sorted(writer.events, key=lambda event: (event.at, event.number))
