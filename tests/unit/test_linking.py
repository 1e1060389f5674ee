"""Which SKU a listing is: certainly, or perhaps, and why."""

import random
import time
from uuid import UUID, uuid4

import pytest

from hub.likeness import Index, Known, Suggestion, features, gtin_is_near
from hub.linking import Pack, exact, fold, gtin, gtin_forms, multiplier, pack, same_but_for_case

A, B = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("told", "full"),
    [
        ("7891000315507", "07891000315507"), ("789.1000-315507 ", "07891000315507"), ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"), ("17891000315504", "17891000315504"), ("7891000315508", None),
        ("789100031550", None), ("", None), (None, None), ("0000000000000", None), ("SEM GTIN", None),
        ("٧٨٩١٠٠٠٣١٥٥٠٧", None),
    ],
)  # fmt: skip
def test_a_gtin_counts_only_with_its_check_digit(told: str | None, full: str | None) -> None:
    assert gtin(told) == full
    assert bool(gtin_forms(told)) == (full is not None)


def test_one_number_in_its_forms_is_one_gtin() -> None:
    assert gtin_forms("036000291452") == ["00036000291452", "0036000291452", "036000291452"]
    assert exact({}, {"00036000291452": [A]}, None, "0036000291452") == (A, "gtin")


def test_exact_is_the_code_then_a_gtin_of_one_sku_and_nothing_else() -> None:
    by_gtin = {"07891000315507": [A], "00000096385074": [A, B], "07891000315508": [B]}
    assert exact({"X": B}, by_gtin, "X", "7891000315507") == (B, "sku")
    assert exact({"X": B}, by_gtin, "x", "7891000315507") == (A, "gtin")
    assert exact({}, by_gtin, None, "96385074") == (None, "")
    assert exact({}, by_gtin, None, "7891000315508") == (None, "")  # the check digit is wrong
    assert exact({"": A}, {"": [A]}, None, None) == (None, "")


def test_codes_are_the_same_whatever_stands_between_their_letters() -> None:
    assert fold(" Cân-01/B ") == fold("CAN01b") == "can01b"
    assert same_but_for_case(["A1", "b", "a1", "A1", "B", "c"]) == [("A1", "a1"), ("B", "b")]


@pytest.mark.parametrize(
    ("title", "units"),
    [
        ("Kit 3 Camisetas Básicas", 3), ("Kit com 6 Taças", 6), ("Copo americano cx 12 un", 12),
        ("Caixa com 24 Canetas", 24), ("Copo 190ml c/ 6", 6), ("Meia Soquete C/ 12 pares - preta", None),
        ("Pilha AA 4 unidades", 4), ("Sabonete 12un", 12), ("2x Caneca porcelana", 2), ("2 x Caneca porcelana", 2),
        ("Caneca porcelana x3", 3), ("Dúzia de ovos", 12), ("Combo duas canecas", 2), ("Fardo 6 refrigerante 2L", 6),
        ("Caneca de porcelana 300 ml", None), ("Kit 500ml shampoo", None), ("Cabo com 2 metros", None),
        ("Cômoda com 6 gavetas", None), ("Caixa 1,5 litros", None), ("Kit 1 caneca", None), ("iPhone 13 128gb", None),
        ("", None), (None, None), ("kit 99999 coisas", None),
    ],
)  # fmt: skip
def test_what_a_title_says_of_a_pack(title: str | None, units: int | None) -> None:
    found = pack(title)
    assert (found.units if found else None) == units


def test_a_sku_that_is_the_pack_itself_is_sold_once() -> None:
    assert pack("Copo c/ 6 un") == Pack(6, "6 un")
    assert multiplier("Kit 6 copos", "Copo americano") == (6, "kit 6")
    assert multiplier("Kit 12 copos", "Kit 6 copos") == (2, "kit 12")
    assert multiplier("Kit 6 copos", "Copos, caixa com 6") == (1, None)
    assert multiplier("Kit 6 copos", "Caixa com 4 copos") == (1, None)


def test_measures_are_compared_in_one_unit() -> None:
    assert features("Garrafa 0,5 L azul G").measures == features("garrafa 500ml").measures == {("ml", "500")}
    assert features("Garrafa 0,5 L AZUL G").colours == {"azul"}
    assert features("Garrafa 0,5 L azul G").sizes == {"g"}


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("7891000315507", "7891000315517", True), ("7891000315507", "7891000315570", True),
        ("7891000315507", "7891000315507", False), ("7891000315507", "7891000316517", False),
        (None, "7891000315507", False), ("0", "00", False),
    ],
)  # fmt: skip
def test_a_mistyped_gtin_is_near(one: str | None, other: str, near: bool) -> None:
    assert gtin_is_near(one, other) is near


SHELF = [
    Known(id=UUID(int=n), code=code, title=title, gtin=number)
    for n, (code, title, number) in enumerate(
        [
            ("CAN-300-BR", "Caneca de porcelana branca 300 ml", "7891000315507"),
            ("CAN-300-PT", "Caneca de porcelana preta 300 ml", None),
            ("CAN-500-BR", "Caneca de porcelana branca 500 ml", None),
            ("PRATO-26", "Prato raso porcelana 26 cm", "96385074"),
            ("COPO-190", "Copo americano Nadir 190 ml", None),
            ("TOALHA-G", "Toalha de banho azul G", None),
        ]
    )
]


def best(title: str, code: str | None = None, number: str | None = None) -> Suggestion:
    return Index(SHELF).suggest(title, code, number)[0]


def test_the_likeliest_comes_first_with_its_reasons_in_words() -> None:
    found = best("Caneca Porcelana Branca 300ml Original Frete Grátis")
    assert found.code == "CAN-300-BR"
    assert found.explain().startswith("títulos parecidos em 100%: 300ml, branco")
    assert "mesma medida: 300 ml; mesma cor ou tamanho: branco" in found.explain()
    assert "same measure: 300 ml" in found.explain("en")
    others = Index(SHELF).suggest("Caneca Porcelana Branca 300ml")[1:]
    assert all(other.score < found.score - 20 for other in others)


def test_another_size_or_colour_is_held_against_it() -> None:
    found = {one.code: one for one in Index(SHELF).suggest("Caneca porcelana branca 300 ml", "can-500-br", most=10)}
    assert "medida diferente: 300 ml, 500 ml" in found["CAN-500-BR"].explain()
    assert best("Caneca de porcelana preta 300 ml").code == "CAN-300-PT"
    assert "cor ou tamanho diferente: branco, preto" in best("Caneca preta", "CAN300BR").explain()


@pytest.mark.parametrize(
    ("title", "code", "number", "expected", "kind"),
    [
        ("qualquer coisa", "can300br", None, "CAN-300-BR", "code"),
        ("Linda caneca CAN-500-BR presente", None, None, "CAN-500-BR", "code_in_title"),
        ("Prato", None, "96385047", "PRATO-26", "gtin_near"),
        ("Prato", None, "0096385074", None, None),
    ],
)
def test_codes_and_numbers_suggest_too(
    title: str, code: str | None, number: str | None, expected: str | None, kind: str | None
) -> None:
    found = Index(SHELF).suggest(title, code, number)
    assert [one.code for one in found[:1]] == ([expected] if expected else [])
    assert kind is None or kind in [reason.kind for reason in found[0].reasons]


def test_a_pack_is_a_hint_with_its_words() -> None:
    found = best("Kit 6 Copo Americano Nadir 190ml")
    assert (found.code, found.multiplier) == ("COPO-190", 6)
    assert found.explain().endswith('o título diz "kit 6": seriam 6 unidades por venda')


def test_no_title_alone_is_ever_certain() -> None:
    assert best("Caneca de porcelana branca 300 ml").score < 100
    assert Index(SHELF).suggest("Bicicleta aro 29") == []
    assert Index([]).suggest("Caneca") == []


def test_the_work_for_a_listing_does_not_grow_with_the_catalogue() -> None:
    chance = random.Random(7)
    words = [f"palavra{n}" for n in range(3000)]

    def shelf(count: int) -> list[Known]:
        return [
            Known(id=uuid4(), code=f"S-{n}", gtin=None, title="Caneca porcelana " + " ".join(chance.sample(words, 4)))
            for n in range(count)
        ]

    def seconds(count: int) -> float:
        skus = shelf(count)
        index = Index(skus)
        asked = [sku.title for sku in chance.sample(skus, 200)]
        began = time.process_time()
        for title in asked:
            assert index.suggest(title)
        return time.process_time() - began

    seconds(1000)
    assert seconds(16000) < 6 * seconds(1000)
