"""Why freight cannot go on: every sentence in both languages, with nothing of the other in it."""

import re
import string

import pytest

from hub.freight_words import REFUSALS, sentence
from hub.nfe import BadKey, key_of
from hub.packing import Limits, TooLarge, Unit, pack


@pytest.mark.parametrize("kind", REFUSALS)
def test_both_languages_tell_the_same_of_the_same(kind: str) -> None:
    pt, en = REFUSALS[kind]
    told = [{name for _text, name, _spec, _conversion in string.Formatter().parse(each) if name} for each in (pt, en)]
    assert told[0] == told[1]
    params = dict.fromkeys(told[0], "x")
    assert "{" not in sentence(kind, "pt-BR", params) + sentence(kind, "en", params)
    assert not re.search(r"[.!]$", pt + "|" + en), "no stop: it stands in a sentence of its reader's"


def test_params_are_told_in_the_readers_words() -> None:
    told = {"number": 7, "status": "placed"}
    assert sentence("status", "pt-BR", told) == "pedido 7: está aguardando pagamento; só um pedido pago é enviado"
    assert sentence("status", "en", told) == "order 7 is placed: only a paid one is sent"
    told = {"number": 7, "fields": "recipient, street"}
    assert sentence("to", "pt-BR", told) == "pedido 7: falta no endereço de entrega: destinatário, rua"
    assert sentence("to", "en", told) == "order 7: missing in the address it goes to: recipient, street"


def test_a_key_and_a_unit_are_refused_in_portuguese_too() -> None:
    with pytest.raises(BadKey) as key:
        key_of("1" * 43)
    assert sentence("key", "pt-BR", {"number": 7, "why": (key.value.pt, str(key.value))}) == (
        "pedido 7: a chave da NF-e não serve: uma chave de NF-e tem 44 posições, esta tem 43"
    )
    with pytest.raises(TooLarge) as unit:
        pack([Unit("SOFA", 40_000, (900, 800, 200))], Limits())
    assert unit.value.pt == "SOFA: uma unidade sozinha passa do limite de 30000 g por volume"
