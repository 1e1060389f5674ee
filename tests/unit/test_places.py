"""Brazilian addresses that stand in two lines."""

import pytest

from hub import places


@pytest.mark.parametrize(
    ("first", "second", "found"),  # street, number, complement, district
    [
        (
            "Rua das Laranjeiras,\u2060 210",
            "Apto 31,\u2060 Vila Mariana",
            ("Rua das Laranjeiras", "210", "Apto 31", "Vila Mariana"),
        ),
        ("Rua das Laranjeiras,\u2060210", "\u2060Centro", ("Rua das Laranjeiras", "210", None, "Centro")),
        ("Rua A\u2060s/n", "dpto 4", ("Rua A", "s/n", "dpto 4", None)),
        ("Av. Paulista, 1578", "Sala 12 - Bela Vista", ("Av. Paulista", "1578", "Sala 12", "Bela Vista")),
        ("Rua Sete de Setembro, 15 - Fundos", None, ("Rua Sete de Setembro", "15", "Fundos", None)),
        ("Rua XV de Novembro nº 15", "Bairro: Alto", ("Rua XV de Novembro", "15", None, "Alto")),
        ("Rua Sao Joao, s/n", "Bairro Alto", ("Rua Sao Joao", "s/n", None, "Bairro Alto")),
        ("Rua 13, 45", "Rua 7", ("Rua 13", "45", "Rua 7", None)),
        ("Rua 13", None, ("Rua 13", None, None, None)),
        ("Rua 7 de Setembro, nº 100 B, fundos", "", ("Rua 7 de Setembro", "100 B", "fundos", None)),
        ("Rua Augusta 500", "Bloco B, Apto 12", ("Rua Augusta", "500", "Bloco B, Apto 12", None)),
        ("Quadra 12 Conjunto B", "Asa Norte", ("Quadra 12 Conjunto B", None, None, "Asa Norte")),
        ("Rodovia dos Bandeirantes", "km 32", ("Rodovia dos Bandeirantes", None, "km 32", None)),
    ],
)
def test_a_brazilian_address_stands_in_two_lines(first: str, second: str | None, found: tuple[str | None, ...]):
    told = places.split(first, second)
    assert (told["street"], told["number"], told["complement"], told["district"]) == found


def test_another_countrys_lines_are_left_alone():
    assert places.split("Calle Mayor, 5", "Centro", "ES") == {"street": "Calle Mayor, 5", "complement": "Centro"}
    assert places.split(None, "Centro") == {"street": None, "complement": "Centro"}
