"""Which channels take part in a demo, and the sandboxes that play them."""

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

import adapters
from hub.contract import Kind
from hub.demo import shop
from hub.sandbox import Sandbox

Place = tuple[str, str, dict[str, Any]]  # channel, account name, options of its sandbox
FEW: tuple[Place, ...] = (
    ("woocommerce", "Loja própria", {}),
    ("mercadolivre", "Mercado Livre A", {"user_id": 111_000_111}),
    ("mercadolivre", "Mercado Livre B", {"user_id": 222_000_222}),
    ("correios", "Correios", {}),
)
RATES = {
    "bling": {"rate": 3},
    "lojaintegrada": {"rate": 100},
}  # limits that these sandboxes keep where they are asked to


def places(which: str) -> tuple[Place, ...]:
    """What "some" or "all" stands for: stores and marketplaces first, the carrier that posts for the seller last."""
    if which != "all":
        return FEW
    known = {name for name, *_rest in FEW}
    sold = [name for name in adapters.names() if adapters.get(name).kind is not Kind.CARRIER and name not in known]
    more = [(name, adapters.get(name).label, RATES.get(name, {})) for name in sold if _has_sandbox(name)]
    return (*FEW[:-1], *more, FEW[-1])


def _has_sandbox(name: str) -> bool:
    return importlib.util.find_spec(f"adapters.{name}.sandbox") is not None


def sandboxes(wanted: Sequence[Place], skus: int, seed: int) -> list[Sandbox]:
    """One for each place, in the order of their ports."""
    products = shop.make(skus, seed).products()
    made: list[Sandbox] = []
    for number, (name, _label, options) in enumerate(wanted):
        create = importlib.import_module(f"adapters.{name}.sandbox").create
        goods = [] if adapters.get(name).kind is Kind.CARRIER else products
        made.append(create(goods, seed=seed + number, **options))
    return made
