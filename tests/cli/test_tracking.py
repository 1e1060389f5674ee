"""`balcao tracking`: who follows a parcel, and what carriers told that is not understood yet."""

from tests.cli.conftest import Balcao


def test_nothing_told_is_nothing_to_show(balcao: Balcao):
    balcao("seller", "add", "Loja").good()
    assert balcao("tracking", "codes", "--json").good().json == []
    assert "every code that carriers told is understood" in balcao("tracking", "codes").good().out.lower()
    assert balcao("tracking", "strays", "--json").good().json == []
    assert balcao("tracking", "learn", "--json").good().json == {"understood": 0, "kept": 0}
    assert "no account" in balcao("tracking", "follow", "QQ123456785BR", "--carrier", "correios").sentence(2)
