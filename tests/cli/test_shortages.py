"""Shortages from the command line: what is short, why, and what to do."""

from tests.cli.test_story import Town, town, words

__all__ = ["town"]


async def test_a_shortage_is_listed_and_explained(town: Town) -> None:
    await town.good("seller", "add", "Loja da Ana")
    for name, box in (("Um", town.one), ("Dois", town.two)):
        told = words(box.credentials(town.addresses["one" if name == "Um" else "two"]))
        await town.good("account", "add", "woocommerce", "--name", name, *told)
    await town.good("run", "listings")
    await town.good("link", "auto", "--create")
    await town.good("stock", "set", "CANECA", 10)
    assert (await town.good("shortages", "list")).out == "Nothing is short.\n"
    for box in (town.one, town.two):
        await box.act("buy", {"lines": [{"sku": "CANECA", "quantity": 7}]})
    await town.good("run", "poll")
    await town.good("run", "ingest")

    (row,) = (await town.good("shortages", "list", "--json")).json
    assert (row["sku"], row["short"], row["ended"]) == ("CANECA", 4, None)
    said = (await town.good("shortages", "show", row["id"])).out
    assert "CANECA: 4 short" in said
    assert "→ Não há produto substituto cadastrado." in said
    told = (await town.good("shortages", "show", row["id"], "--lang", "en", "--json")).json
    assert told["ways"][-1]["text"] == "No substitute product is on record."
    assert len(told["costs"]) == 2
    assert told["costs"][0]["total"] <= told["costs"][1]["total"]
    assert told["evidence"]["sold"]["units"] == 4

    await town.good("stock", "set", "CANECA", 20)
    assert (await town.good("shortages", "list")).out == "Nothing is short.\n"
    assert (await town.good("shortages", "list", "--all", "--json")).json[0]["ended"] == "filled"

    settle = ("account", "settle-orders", "Um", "--reason", "loja encerrada", "--became")
    assert "its channel tells" in (await town.balcao(*settle, "sent", "--all")).sentence(2)
    assert "settle-orders" in (await town.good("account", "close", "Um", "--yes")).out
    (row,) = (await town.good("account", "open-orders", "Um", "--json")).json
    assert (row["units"], row["goods"]) == (7, [])
    assert "name the orders, or say --all" in (await town.balcao(*settle, "sent")).sentence(2)
    assert "1 orders would be cancelled, 0 stay" in (await town.good(*settle, "cancelled", row["number"])).out
    assert "1 orders: cancelled. 0 are still open." in (await town.good(*settle, "cancelled", "--all", "--yes")).out
    assert "No order of it holds" in (await town.good("account", "open-orders", "Um")).out

    gone = "00000000-0000-0000-0000-000000000000"
    assert "there is no shortage" in (await town.balcao("shortages", "show", gone)).sentence(2)
