"""What the first page refuses, field by field."""

from typing import Any

import pytest

from hub import founding

GOOD = {
    "name": " Ana  Lima ", "email": "Ana@Loja.example", "password": "quatro palavras bem minhas",
    "again": "quatro palavras bem minhas", "shop": "Loja da Ana", "document": "11.222.333/0001-81",
    "zone": "America/Manaus", "cep": "69020-030", "warehouse": "Principal",
}  # fmt: skip


def test_what_is_good_is_taken_as_it_is_kept() -> None:
    wanted, problems = founding.read(GOOD, "en")
    assert problems == {}
    assert wanted is not None
    assert (wanted.name, wanted.email, wanted.locale) == ("Ana Lima", "ana@loja.example", "en")
    assert (wanted.postal_code, wanted.state, wanted.zone) == ("69020030", "AM", "America/Manaus")
    assert wanted.document is not None
    assert wanted.sender.document == "11222333000181"
    assert wanted.sender.address.postal_code == "69020030"
    bare, problems = founding.read({**GOOD, "document": "", "cep": ""}, "pt_BR")
    assert (problems, bare and bare.document, bare and bare.postal_code) == ({}, None, None)


@pytest.mark.parametrize(
    ("field", "told", "why"),
    [
        ("name", " ", "missing"), ("name", "x" * 121, "long"), ("email", "ana", "no_email"),
        ("email", "a@b, c@d", "no_email"), ("password", "curta", "short"), ("password", "x" * 1025, "too_long"),
        ("password", "Senha123", "guessable"), ("password", "ana@loja.example", "guessable"),
        ("password", "Loja da Ana", "guessable"), ("password", "aaaaaaaaaa", "guessable"),
        ("again", "outra", "unequal"),
        ("shop", "", "missing"), ("document", "111.444.777-00", "no_cpf"),
        ("document", "11.222.333/0001-82", "no_cnpj"),
        ("zone", "Mars/Olympus", "no_zone"), ("cep", "0131010", "no_cep"), ("cep", "00000-000", "no_cep"),
        ("cep", "0131010A", "no_cep"), ("warehouse", "", "missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_its_field(field: str, told: str, why: str) -> None:
    more: dict[str, Any] = {"again": told} if field == "password" else {}
    wanted, problems = founding.read({**GOOD, field: told, **more}, "pt_BR")
    assert wanted is None
    assert problems == {field: why}


@pytest.mark.parametrize(
    ("cep", "state"),
    [
        ("01310100", "SP"), ("19999999", "SP"), ("20040002", "RJ"), ("68900073", "AP"), ("69304350", "RR"),
        ("69400000", "AM"), ("69900062", "AC"), ("70040010", "DF"), ("72800000", "GO"), ("73300000", "DF"),
        ("74000000", "GO"), ("76801059", "RO"), ("77001002", "TO"), ("79002004", "MS"), ("88010000", "SC"),
        ("99999999", "RS"), ("00999999", None),
    ],
)  # fmt: skip
def test_a_cep_lies_in_its_state(cep: str, state: str | None) -> None:
    assert founding.state_of(cep) == state
