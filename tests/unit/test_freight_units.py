"""What an order's lines become before they are packed: kits whole or in parts, values that add up, gaps by name."""

from typing import Any

from jobs.freight import units_of

BARE = {"weight_g": None, "length_mm": None, "width_mm": None, "height_mm": None}
MUG = {"weight_g": 350, "length_mm": 120, "width_mm": 100, "height_mm": 90}
BOOK = {"weight_g": 900, "length_mm": 240, "width_mm": 170, "height_mm": 30}


def line(sku: str, measures: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "sku": sku,
        "left": 1,
        "quantity": 1,
        "multiplier": 1,
        "total_cents": 1000,
        "parts": None,
        **measures,
        **more,
    }


def test_a_pack_of_several_is_so_many_units_and_what_was_sent_is_not_sent_again() -> None:
    units, missing = units_of([line("CANECA", MUG, quantity=3, left=2, multiplier=6, total_cents=10_000)])
    assert missing == []
    assert [unit.sku for unit in units] == ["CANECA"] * 12
    assert sum(unit.value_cents for unit in units) == 10_000 * 2 // 3


def test_a_kit_with_measures_is_one_thing_and_without_them_its_parts() -> None:
    parts = [{"sku": "CANECA", "quantity": 2, **MUG}, {"sku": "LIVRO", "quantity": 1, **BOOK}]
    whole, _missing = units_of([line("KIT", BOOK, parts=parts)])
    assert [unit.sku for unit in whole] == ["KIT"]
    pieces, missing = units_of([line("KIT", BARE, parts=parts, left=2, quantity=2, total_cents=1001)])
    assert sorted(unit.sku for unit in pieces) == ["CANECA"] * 4 + ["LIVRO"] * 2
    assert sum(unit.value_cents for unit in pieces) == 1001
    assert missing == []


def test_each_sku_without_measures_is_named_once() -> None:
    parts = [{"sku": "CANECA", "quantity": 2, **BARE}, {"sku": "LIVRO", "quantity": 1, **BOOK}]
    lines = [line("PRATO", {**MUG, "weight_g": None}), line("KIT", BARE, parts=parts), line("CANECA", BARE)]
    assert units_of(lines)[1] == ["PRATO", "CANECA"]


def test_what_has_no_price_is_worth_nothing() -> None:
    (unit,), _missing = units_of([line("CANECA", MUG, total_cents=None)])
    assert unit.value_cents == 0
