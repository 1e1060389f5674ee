"""API keys: shown once, listed without what they are, revoked for good."""

from tests.cli.conftest import Balcao


def test_a_key_is_shown_once_and_revoked(balcao: Balcao) -> None:
    balcao("seller", "add", "Loja da Ana").good()
    made = balcao("apikey", "add", "planilha", "--json").good().json
    assert made["key"].startswith("balcao_")
    assert made["scopes"] == ["stock:read"]
    listed = balcao("apikey", "list", "--json").good()
    assert made["key"] not in listed.out
    assert [(row["id"], row["revoked_at"]) for row in listed.json] == [(made["id"], None)]
    said = balcao("apikey", "add", "painel", "--scope", "stock:read").good().out
    assert "it is not shown again" in said
    balcao("apikey", "revoke", made["id"]).good()
    assert "in force" in balcao("apikey", "revoke", made["id"]).sentence(2)
    assert "--scope: there is no scope 'all'" in balcao("apikey", "add", "x", "--scope", "all").sentence(2)
    told = {row["scope"]: row["allows"] for row in balcao("apikey", "scopes", "--json").good().json}
    assert told["orders:read"].startswith("read orders")
    balcao("apikey", "add", "tudo", *(word for name in told for word in ("--scope", name))).good()
    assert "NAME is empty" in balcao("apikey", "add", " ").sentence(2)
