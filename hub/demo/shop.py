"""What the demo sells: 200 SKUs, kits among them, in two warehouses. The same for the same seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from hub.sandbox import Product

NAMES = ("Caneca", "Prato", "Copo", "Tigela", "Garrafa", "Bandeja", "Travessa", "Jarra", "Pote", "Xícara")
COLOURS = ("Azul", "Branca", "Verde", "Amarela", "Preta", "Rosa", "Cinza", "Vinho", "Areia", "Laranja")
KIT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Shop:
    """`units`: by plain SKU, (first warehouse, second). `kits`: by kit SKU, its components."""

    units: dict[str, tuple[int, int]]
    kits: dict[str, dict[str, int]]
    titles: dict[str, str]
    prices: dict[str, int]

    def available(self, sku: str) -> int:
        """Units of a SKU that can be sold at the start: for kits the scarcest component of each warehouse."""
        if sku in self.kits:
            parts = self.kits[sku].items()
            return sum(min(self.units[part][w] // quantity for part, quantity in parts) for w in (0, 1))
        return sum(self.units[sku])

    def left(self, sold: Mapping[str, int]) -> dict[str, int]:
        """Units of each plain SKU that remain unsold, by plain arithmetic: what was there less what was sold."""
        left = {sku: sum(units) for sku, units in self.units.items()}
        for sku, quantity in sold.items():
            for part, units in self.kits.get(sku, {sku: 1}).items():
                left[part] -= units * quantity
        return left

    def products(self) -> list[Product]:
        """Everything, as a sandbox is seeded with it."""
        return [
            Product(sku=sku, title=self.titles[sku], quantity=self.available(sku), price_cents=self.prices[sku])
            for sku in self.titles
        ]


def make(skus: int, seed: int) -> Shop:
    """A shop of so many SKUs."""
    chance = random.Random(seed)
    count = skus - int(skus * KIT_SHARE)
    plain = [f"SKU-{number:04d}" for number in range(1, count + 1)]
    units = {sku: (chance.randint(4, 60), chance.randint(0, 30)) for sku in plain}
    kits: dict[str, dict[str, int]] = {}
    for number in range(1, skus - count + 1):
        parts = chance.sample(plain, chance.randint(2, 3))
        kits[f"KIT-{number:03d}"] = {part: chance.randint(1, 2) for part in parts}
    titles = {sku: f"{chance.choice(NAMES)} {chance.choice(COLOURS)} {sku[-4:]}" for sku in plain}
    titles |= {kit: f"Kit presente {kit[-3:]}" for kit in kits}
    prices = {sku: chance.randrange(990, 19_990, 100) for sku in titles}
    return Shop(units, kits, titles, prices)
