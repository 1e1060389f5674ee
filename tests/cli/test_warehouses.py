"""Warehouses, transfers and allocation as a seller types them."""

import pytest

from tests.cli.conftest import Balcao
from tests.cli.test_story import Town, town, words

__all__ = ["town"]  # the fixture


async def test_stock_goes_to_another_warehouse_and_orders_with_it(town: Town) -> None:
    await town.good("seller", "add", "Loja da Ana")
    await town.good(
        "account", "add", "woocommerce", "--name", "Um", *words(town.one.credentials(town.addresses["one"]))
    )
    await town.good("run", "listings")
    await town.good("run", "poll")
    await town.good("stock", "set", "CANECA", 9, "--create")
    await town.good("stock", "set", "PRATO", 3, "--create")
    await town.good("account", "approve", "Um")
    await town.good("run", "push-stock")
    added = await town.good("warehouse", "add", "filial", "Filial Campinas", "--rank", 20, "--cep", "13010-000",
                            "--state", "sp", "--json")  # fmt: skip
    assert (added.json["postal_code"], added.json["state"], added.json["kind"]) == ("13010000", "SP", "own")
    ref = str((await town.one.act("buy", {"lines": [{"sku": "CANECA", "quantity": 2}]}))["order_ref"])
    await town.good("run", "poll")
    await town.good("run", "ingest")

    said = await town.good("orders", "allocation", ref)
    assert "principal tem tudo: o pedido sai inteiro de lá." in said.out
    assert "2 de CANECA saem de principal." in said.out
    told = (await town.good("orders", "allocation", ref, "--lang", "en", "--json")).json
    assert [(take["sku"], take["warehouse"], take["units"]) for take in told["takes"]] == [("CANECA", "principal", 2)]
    assert "leave from principal" in told["steps"][-1]
    assert "not enough free" in (await town.balcao("orders", "allocate", ref, "--from", "filial")).sentence(2)

    assert "not empty" in (await town.balcao("warehouse", "close", "principal")).sentence(2)
    assert (
        "Transfer 1: principal -> filial, open."
        in (await town.good("transfer", "open", "principal", "filial", "CANECA=8", "PRATO=3", "--note", "reforma")).out
    )
    assert "--with-orders" in (await town.balcao("transfer", "send", 1)).sentence(2)
    assert (await town.good("transfer", "send", 1, "--with-orders", "--json")).json["status"] == "sent"
    assert "under way" in (await town.good("transfer", "list")).out
    got = (await town.good("transfer", "receive", 1, "CANECA=7", "PRATO=3", "--finish", "--json")).json
    assert {line["sku"]: (line["received"], line["lost"]) for line in got["lines"]} == {
        "CANECA": (7, 1),
        "PRATO": (3, 0),
    }
    shown = await town.good("transfer", "show", 1)
    assert "lost on the way, transfer 1" in shown.out
    assert (await town.good("transfer", "list")).out.startswith("No transfer")
    assert len((await town.good("transfer", "list", "--all", "--json")).json) == 1
    await town.good("transfer", "open", "filial", "principal", "CANECA=1")
    assert (await town.good("transfer", "cancel", 2, "--json")).json["status"] == "cancelled"

    assert (await town.good("orders", "allocate", ref, "--from", "filial", "--json")).json["moved"] == 1
    await arrange(town)


async def arrange(town: Town) -> None:
    """Who draws from where, destinations, and how far orders are divided."""
    await town.good("warehouse", "draws", "Um", "--from", "filial")
    await town.good("warehouse", "area", "filial", "--state", "SP,RJ", "--cep", "01000-000-19999-999", "--rank", 3)
    rows = {row["code"]: row for row in (await town.good("warehouse", "list", "--json")).json}
    assert rows["filial"]["draws"] == ["Um"]
    assert rows["filial"]["areas"] == ["RJ = 3", "SP = 3", "01000000-19999999 = 3"]
    assert (rows["transito"]["kind"], rows["transito"]["on_hand"]) == ("transit", 0)
    await town.good("warehouse", "area", "filial", "--clear")
    await town.good("warehouse", "draws", "Um", "--all")
    await town.good("warehouse", "split", "line", "--account", "Um")
    await town.good("warehouse", "split", "inherit", "--account", "Um")
    await town.good("warehouse", "edit", "filial", "--rank", 1, "--name", "Campinas")
    assert (await town.good("warehouse", "list", "--json")).json[0]["name"] == "Campinas"
    await town.good("stock", "set", "CANECA", 0)
    await town.good("warehouse", "add", "velho", "Depósito velho")
    await town.good("warehouse", "close", "velho")
    assert "(closed)" in (await town.balcao("warehouse", "add", "velho", "Outro")).sentence(2)
    await town.good("kit", "set", "KIT", "CANECA=1", "PRATO=1", "--apart")
    assert "is no kit any more" in (await town.good("kit", "unset", "KIT")).out
    assert "is no kit" in (await town.balcao("kit", "unset", "KIT")).sentence(2)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["warehouse", "add", "x", "X", "--cep", "1234"], "is not eight digits"),
        (["warehouse", "add", "x", "X", "--state", "XX"], "is not a UF"),
        (["warehouse", "add", "x", "X", "--kind", "moon"], "Invalid value"),
        (["warehouse", "edit", "x", "--name", " "], "needs one"),
        (["warehouse", "draws", "um"], "or say --all"),
        (["warehouse", "draws", "um", "--from", "a", "--all"], "or say --all"),
        (["warehouse", "area", "x"], "or say --clear"),
        (["warehouse", "area", "x", "--cep", "01000000"], "is not a range"),
        (["warehouse", "area", "x", "--cep", "02000000-01000000"], "ends before it begins"),
        (["warehouse", "split", "maybe"], "Invalid value"),
        (["warehouse", "split", "line", "--account", "a", "--sku", "b"], "not both"),
        (["transfer", "open", "a", "b", "CANECA"], "is not SKU=QTY"),
        (["transfer", "send", "0"], "Invalid value"),
    ],
)
def test_what_is_typed_wrongly(balcao: Balcao, words: list[str], named: str) -> None:
    assert named in balcao(*words).sentence(2)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["warehouse", "edit", "x", "--rank", "1"], "there is no warehouse 'x'"),
        (["warehouse", "close", "x"], "there is no warehouse 'x'"),
        (["warehouse", "area", "x", "--state", "SP"], "there is no warehouse 'x'"),
        (["warehouse", "split", "line", "--sku", "X"], "there is no SKU 'X'"),
        (["transfer", "open", "principal", "x", "A=1"], "there is no warehouse 'x'"),
        (["transfer", "send", "7"], "there is no transfer 7"),
        (["transfer", "receive", "7"], "there is no transfer 7"),
        (["transfer", "cancel", "7"], "there is no transfer 7"),
        (["transfer", "show", "7"], "there is no transfer 7"),
        (["orders", "allocation", "7"], "there is no order '7'"),
        (["orders", "allocate", "7", "--from", "principal"], "there is no order '7'"),
        (["kit", "unset", "K"], "K is no kit"),
    ],
)
def test_what_is_not_there(balcao: Balcao, words: list[str], named: str) -> None:
    balcao("seller", "add", "Loja da Ana").good()
    assert named in balcao(*words).sentence(2)
