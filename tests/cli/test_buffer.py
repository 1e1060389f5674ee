"""Buffers from the command line: what is typed is what is computed, and a preview writes nothing."""

from tests.cli.test_story import Town, town, words

__all__ = ["town"]


async def shelf(town: Town) -> dict[str, int]:
    rows = (await town.good("listings", "list", "--json")).json
    return {f"{row['account']} {row['sku']}": row["desired"] for row in rows}


async def test_buffers_are_set_previewed_listed_and_removed(town: Town) -> None:
    await town.good("seller", "add", "Loja da Ana")
    for name, box in (("Um", town.one), ("Dois", town.two)):
        told = words(box.credentials(town.addresses["one" if name == "Um" else "two"]))
        await town.good("account", "add", "woocommerce", "--name", name, *told)
    await town.good("run", "listings")
    await town.good("link", "auto", "--create")
    await town.good("stock", "set", "CANECA", 30)
    await town.good("stock", "set", "PRATO", 8)

    seen = (await town.good("buffer", "preview", "percent", 50, "--account", "Um", "--json")).json
    assert {(row["sku"], row["before"], row["after"]) for row in seen["changes"]} == {
        ("CANECA", 30, 15),
        ("PRATO", 8, 4),
    }
    assert (seen["dry_run"], seen["id"]) == (True, None)
    assert (await town.good("buffer", "list")).out.startswith("There is no buffer")

    pool = (await town.good(
        "buffer", "set", "fixed_pool", 20, "--sku", "CANECA", "--account", "Dois", "--ends", "2099-12-01", "--json"
    )).json  # fmt: skip
    assert (await shelf(town))["Um CANECA"] == 10
    assert (await shelf(town))["Dois CANECA"] == 20
    (row,) = (await town.good("buffer", "list", "--json")).json
    assert (row["kind"], row["for"], row["account"], row["ends_at"]) == (
        "fixed_pool", "CANECA", "Dois", "2099-12-01T03:00:00Z"
    )  # fmt: skip
    said = (await town.good("stock", "show", "CANECA")).out
    assert "20 separadas para Dois (produto neste canal), cota de 20, já vendidas 0." in said
    assert "set apart 20, free 10" in (await town.good("stock", "show", "CANECA", "--lang", "en")).out
    assert "2 listings would show" in (await town.good("buffer", "remove", pool["id"], "--dry-run")).out
    await town.good("buffer", "remove", pool["id"])
    assert (await shelf(town))["Um CANECA"] == 30

    listing = next(row for row in (await town.good("listings", "list", "--json")).json if row["sku"] == "CANECA")
    await town.good("buffer", "set", "most", 3, "--listing", listing["id"])
    assert sorted(units for name, units in (await shelf(town)).items() if name.endswith("CANECA")) == [3, 30]


async def test_what_a_buffer_cannot_be(town: Town) -> None:
    await town.good("seller", "add", "Loja da Ana")
    await town.good("account", "add", "woocommerce", *words(town.one.credentials(town.addresses["one"])))
    for told, named in (
        (("units", 1), "what is it for?"),
        (("units", 1, "--sku", "A", "--category", "B"), "--category and --sku"),
        (("units", 1, "--sku", "A"), "sku: there is no SKU 'A'"),
        (("units", 1, "--listing", "9"), "--listing: there is no listing '9'"),
        (("units", 1, "--account", "nowhere"), "there is no account 'nowhere'"),
        (("units", 1, "--account", "woocommerce", "--ends", "ontem"), "--ends: 'ontem' is no time"),
        (("percent", 200, "--account", "woocommerce"), "value: 200 is more than 100 %"),
    ):
        assert named in (await town.balcao("buffer", "set", *told)).sentence(2)
    gone = "00000000-0000-0000-0000-000000000000"
    assert "there is no buffer" in (await town.balcao("buffer", "remove", gone)).sentence(2)
