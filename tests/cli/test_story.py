"""A seller's first day on the command line: two stores and a carrier, from nothing to a delivered parcel."""

import asyncio
import unittest.mock
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

import adapters.correios.sandbox
import adapters.woocommerce.sandbox
from hub.sandbox import Product, Sandbox
from tests.cli.conftest import Balcao, Said

SHELF = [
    Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990),
    Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590),
    Product(sku="KIT", title="Kit café", quantity=2, price_cents=9990),
]


@dataclass
class Town:
    """Channels on real sockets, and a terminal beside them."""

    run: Balcao
    one: Sandbox
    two: Sandbox
    carrier: Sandbox
    addresses: dict[str, str]
    said: list[Said]

    async def balcao(self, *words: object, **more: Any) -> Said:
        told = await asyncio.to_thread(self.run, *words, **more)
        self.said.append(told)
        return told

    async def good(self, *words: object, **more: Any) -> Said:
        return (await self.balcao(*words, **more)).good()


@pytest.fixture
async def town(balcao: Balcao) -> AsyncIterator[Town]:
    woo = adapters.woocommerce.sandbox.create
    boxes: dict[str, Sandbox] = {
        "one": woo(SHELF, seed=1, correios=True),
        "two": woo(SHELF, seed=2),
        "carrier": adapters.correios.sandbox.create([], seed=3),
    }
    async with AsyncExitStack() as stack:
        addresses = {}
        for name, box in boxes.items():
            server = await stack.enter_async_context(TestServer(box.app))
            addresses[name] = str(server.make_url("")).rstrip("/")
        yield Town(balcao, boxes["one"], boxes["two"], boxes["carrier"], addresses, [])


def words(told: dict[str, str]) -> list[str]:
    return [part for key, value in told.items() for part in ("--set", f"{key}={value}")]


async def connect(town: Town, tmp_path: Path) -> None:
    """Secrets come from a file, from stdin and, where it must be, from the command line."""
    told = town.one.credentials(town.addresses["one"])
    secret = tmp_path / "secret.txt"
    secret.write_text(told["consumer_secret"] + "\n")
    made = (await town.good(
        "account", "add", "woocommerce", "--name", "Um", "--json",
        *words({**told, "consumer_secret": f"@{secret}"}),
    )).json  # fmt: skip
    assert (made["status"], made["problem"]) == ("preview", None)
    assert made["webhook_url"].startswith("/in/")
    told = town.two.credentials(town.addresses["two"])
    said = await town.good(
        "account", "add", "woocommerce", "--name", "Dois", *words({**told, "consumer_secret": "-"}),
        stdin=told["consumer_secret"] + "\n",
    )  # fmt: skip
    assert "account preview" in said.out
    said = await town.good("account", "add", "correios", *words(town.carrier.credentials(town.addresses["carrier"])))
    assert "live" in said.out


async def shop(town: Town) -> None:
    """Listings in, stock opened from one store, both approved: both show the same."""
    assert "left out" not in (await town.good("run", "listings")).out
    refused = await town.balcao("stock", "open", "--from", "um")
    assert "its orders are not read yet" in refused.sentence(2)
    await town.good("run", "poll")
    await town.good("run", "ingest")
    assert (await town.good("link", "auto", "--create", "--json")).json == {
        "linked": 6, "unlinked": 0, "refused": []
    }  # fmt: skip
    assert "Caneca" in (await town.good("link", "list")).out
    assert len((await town.good("link", "list", "--unlinked", "--json")).json) == 0
    opened = (await town.good("stock", "open", "--from", "um", "--json")).json
    assert {row["sku"]: row["after"] for row in opened} == {"CANECA": 10, "PRATO": 4, "KIT": 2}
    assert (await town.good("stock", "open", "--from", "Um")).out.startswith("Nothing to open")
    rows = (await town.good("account", "preview", "Dois", "--json")).json
    assert {(row["sku"], row["desired"]) for row in rows} == {("CANECA", 10), ("PRATO", 4), ("KIT", 2)}
    assert "left out, it is preview" in (await town.good("run", "push-stock")).out
    refused = await town.balcao("run", "push-stock", "--account", "Um")
    assert "account approve" in refused.sentence(1)
    for name in ("Um", "Dois"):
        assert "live" in (await town.good("account", "approve", name)).out
    await town.good("stock", "set", "CANECA", 8)
    assert (await town.good("run", "push-stock", "--json")).json[0]["did"]["accepted"] >= 1
    assert town.one.shelf()["CANECA"] == town.two.shelf()["CANECA"] == 8


async def sell(town: Town) -> str:
    """A sale there shows here."""
    ref = str((await town.one.act("buy", {"lines": [{"sku": "CANECA", "quantity": 3}]}))["order_ref"])
    told = (await town.good("run", "poll", "--account", "Um", "--json")).json
    assert told[0]["did"]["came_in"] == 1
    assert (await town.good("run", "ingest", "--json")).json[0]["did"] == {"worked_off": 1, "left": 0}
    (order,) = (await town.good("orders", "list", "--json", "--status", "paid", "--account", "Um")).json
    assert order["ref"] == ref
    shown = (await town.good("orders", "show", ref, "--json")).json
    assert [row["quantity"] for row in shown["reservations"]] == [3]
    assert "Reserved" in (await town.good("orders", "show", order["number"])).out
    stock = (await town.good("stock", "show", "CANECA", "--json")).json
    assert stock["levels"] == [{"warehouse": "principal", "on_hand": 8, "reserved": 3}]
    assert {row["available"] for row in stock["why"]} == {5}
    await town.good("run", "push-stock")
    assert town.one.shelf()["CANECA"] == town.two.shelf()["CANECA"] == 5
    return ref


async def deliver(town: Town, ref: str) -> None:
    code = str((await town.carrier.act("post", {}))["code"])
    made = (await town.good("shipments", "add", ref, "--carrier", "correios", "--code", code, "--json")).json
    assert made["code"] == code
    assert (await town.good("run", "track", "--json")).json[0]["did"]["asked"] == 1
    (parcel,) = (await town.good("shipments", "list", "--json")).json
    assert parcel["status"] is not None
    assert (await town.good("run", "push-shipments", "--account", "Um", "--json")).json[0]["did"]["told"] == 1
    assert town.one.orders()[ref] == "completed"
    await town.good("run", "poll")
    await town.good("run", "ingest")
    assert (await town.good("orders", "show", ref, "--json")).json["status"] == "dispatched"
    assert len((await town.good("shipments", "list", "--json")).json) == 1
    assert (await town.good("stock", "show", "CANECA", "--json")).json["levels"][0]["on_hand"] == 5


async def test_from_nothing_to_a_parcel_on_its_way(town: Town, tmp_path: Path) -> None:
    await town.good("seller", "add", "Loja da Ana")
    await connect(town, tmp_path)
    await shop(town)
    ref = await sell(town)
    await deliver(town, ref)
    told = (await town.good("run", "reconcile", "--json")).json
    assert [row["did"]["differences"] for row in told] == [0, 0]
    rows = (await town.good("inbox", "list", "--json", "--state", "done")).json
    assert "ref" in rows[0]
    assert (await town.good("inbox", "replay", rows[0]["id"], "--json")).json == {"replayed": 1}
    assert (await town.good("inbox", "replay", "--all")).out.startswith("No such row")
    await town.good("run", "ingest")
    await town.good("alerts", "list")
    secrets = [
        told
        for box, address in ((town.one, "one"), (town.carrier, "carrier"))
        for key, told in box.credentials(town.addresses[address]).items()
        if key in {"consumer_secret", "access_code"}
    ]
    for said in town.said:
        assert not any(secret in said.out + said.err for secret in secrets), said


async def test_an_account_is_checked_held_resumed_and_given_other_credentials(town: Town) -> None:
    await town.good("seller", "add", "Loja da Ana")
    told = town.one.credentials(town.addresses["one"])
    wrong = {**told, "consumer_secret": "cs_0000000000000000000000000000000000000000"}
    said = await town.balcao("account", "add", "woocommerce", *words(wrong))
    assert said.status == 1
    assert "refused the credentials" in said.err
    assert wrong["consumer_secret"] not in said.out + said.err
    assert "refused" in (await town.balcao("account", "check", "woocommerce")).sentence(1)
    await town.good("account", "set", "woocommerce", *words({"consumer_secret": told["consumer_secret"]}))
    assert "is" in (await town.good("account", "check", "woocommerce")).out
    assert (await town.good("account", "check", "WooCommerce", "--json")).json["problem"] is None
    await town.good("account", "hold", "woocommerce", "--reason", "férias")
    assert (await town.good("account", "list", "--json")).json[0]["held_reason"] == "férias"
    assert "férias" in (await town.balcao("run", "poll", "--account", "woocommerce")).sentence(1)
    assert "preview" in (await town.good("account", "resume", "woocommerce")).out
    assert "BALCAO_PUBLIC_URL" in (await town.balcao("account", "subscribe", "woocommerce")).sentence(2)
    public = {"BALCAO_PUBLIC_URL": "https://balcao.example"}
    assert "live" in (await town.balcao("account", "subscribe", "woocommerce", env=public)).sentence(2)
    for lane in ("listings", "poll"):
        await town.good("run", lane)
    await town.good("account", "approve", "woocommerce", "--json")
    done = (await town.good("account", "subscribe", "woocommerce", "--json", env=public)).json["done"]
    assert any("created" in action for action in done)
    again = await town.good("account", "subscribe", "woocommerce", env=public)
    assert again.out == "Everything was right already.\n"
    assert "is" in (await town.balcao("doctor", "--accounts")).out


async def test_a_channel_that_is_down_is_one_sentence(town: Town) -> None:
    await town.good("seller", "add", "Loja da Ana")
    await town.good("account", "add", "woocommerce", *words(town.one.credentials(town.addresses["one"])))
    town.one.knobs.down = True
    for flow in ("poll", "listings", "reconcile"):
        said = await town.balcao("run", flow)
        assert "503" in said.sentence(1) or "unavailable" in said.sentence(1)


async def test_links_and_kits_move_what_channels_should_show(town: Town) -> None:
    await town.good("seller", "add", "Loja da Ana")
    await town.good("account", "add", "woocommerce", *words(town.one.credentials(town.addresses["one"])))
    await town.good("run", "listings")
    rows = {row["channel_sku"]: row for row in (await town.good("listings", "list", "--json")).json}
    await town.good("stock", "set", "CANECA", 9, "--create")
    await town.good("stock", "set", "PRATO", 4, "--create")
    await town.good("kit", "set", "KIT", "CANECA=2", "PRATO=1")
    shown = {row["sku"]: row["desired"] for row in (await town.good("listings", "list", "--json")).json}
    assert shown == {"CANECA": 9, "PRATO": 4, "KIT": 4}
    said = await town.good("stock", "show", "KIT")
    assert "limita" in said.out
    assert "CANECA" in said.out
    assert "limited by" in (await town.good("stock", "show", "KIT", "--lang", "en")).out
    assert "hold itself" in (await town.balcao("kit", "set", "KIT", "KIT=1")).sentence(2)
    await town.good("link", "set", rows["PRATO"]["id"], "CANECA", "--multiplier", 3)
    shown = {row["channel_sku"]: row["desired"] for row in (await town.good("listings", "list", "--json")).json}
    assert shown["PRATO"] == 3
    await town.good("link", "unset", rows["PRATO"]["ref"])
    assert [row["ref"] for row in (await town.good("link", "list", "--unlinked", "--json")).json] == [
        rows["PRATO"]["ref"]
    ]
    found = await town.good("listings", "list", "--search", "caneca")
    assert "Caneca de porcelana" in found.out
    assert "Prato" not in found.out


async def approved(town: Town, *skus: str) -> None:
    """One store, live, with what it shows counted."""
    await town.good("seller", "add", "Loja da Ana")
    told = words(town.one.credentials(town.addresses["one"]))
    await town.good("account", "add", "woocommerce", "--name", "Um", *told)
    await town.good("run", "listings")
    await town.good("run", "poll")
    for sku in skus:
        await town.good("stock", "set", sku, town.one.shelf()[sku], "--create")
    await town.good("account", "approve", "Um")
    await town.good("run", "push-stock")


async def test_what_a_channel_refused_is_shown_and_tried_again(town: Town) -> None:
    await approved(town, "CANECA", "PRATO")
    items = vars(town.one)["items"]
    gone = vars(town.one)["by_sku"]["PRATO"]
    assert (await town.good("listings", "parked")).out == "Nothing is parked.\n"
    items.pop(gone.id)
    for sku in ("CANECA", "PRATO"):
        await town.good("stock", "set", sku, 3)
    await town.balcao("run", "push-stock")
    (row,) = (await town.good("listings", "parked", "--json")).json
    assert (row["sku"], row["shows"], row["desired"], row["would_send"]) == ("PRATO", 4, 3, 3)
    assert row["parked_code"] in (await town.good("listings", "parked", "--account", "Um")).out

    shown = await town.good("listings", "unpark", "--all", "--preview")
    assert "1 would be tried again" in shown.out
    assert (await town.good("listings", "unpark", "--code", "other", "--json")).json == []
    assert len((await town.good("listings", "parked", "--json")).json) == 1  # nothing was changed by either
    said = await town.balcao("listings", "replay", "--slot", row["ref"])
    assert "1 of 1 were refused again" in said.sentence(1)

    items[gone.id] = gone
    (done,) = (await town.good("listings", "replay", "--code", "missing", "--json")).json
    assert (done["came"], done["shows"]) == ("shown", 3)
    assert town.one.shelf()["PRATO"] == 3
    assert (await town.good("listings", "parked", "--json")).json == []


async def test_an_unparked_slot_waits_for_the_workers(town: Town) -> None:
    await approved(town, "CANECA", "PRATO")
    items, gone = vars(town.one)["items"], vars(town.one)["by_sku"]["PRATO"]
    items.pop(gone.id)
    await town.good("stock", "set", "PRATO", 3)
    await town.balcao("run", "push-stock")
    items[gone.id] = gone
    assert "1 will be tried again" in (await town.good("listings", "unpark", "--account", "Um")).out
    assert town.one.shelf()["PRATO"] == 4
    await town.good("run", "push-stock")
    assert town.one.shelf()["PRATO"] == 3


async def test_braked_zeros_are_shown_and_let_go(town: Town) -> None:
    await approved(town, "CANECA", "PRATO", "KIT")
    assert (await town.good("listings", "braked")).out == "The brake holds nothing.\n"
    with unittest.mock.patch("jobs.push_stock.FEW", 2):
        for sku in ("CANECA", "PRATO", "KIT"):
            await town.good("stock", "set", sku, 0)
        await town.balcao("run", "push-stock")
    rows = (await town.good("listings", "braked", "--json")).json
    assert {row["sku"] for row in rows} == {"CANECA", "PRATO", "KIT"}
    assert {row["would_send"] for row in rows} == {0}
    kit = next(row["ref"] for row in rows if row["sku"] == "KIT")
    assert "1 zeros would go out" in (await town.good("listings", "release", "--slot", kit, "--preview")).out
    await town.good("listings", "release", "--slot", kit)
    said = await town.balcao("run", "push-stock")
    assert "2 zeros are braked" in said.sentence(1)
    assert "balcao listings release --account" in said.err
    assert town.one.shelf() == {"CANECA": 10, "PRATO": 4, "KIT": 0}
    assert (await town.good("account", "list", "--json")).json[0]["braked_at"] is not None
    await town.good("listings", "release", "--account", "Um")
    await town.good("run", "push-stock")
    assert town.one.shelf() == {"CANECA": 0, "PRATO": 0, "KIT": 0}
    assert (await town.good("account", "list", "--json")).json[0]["braked_at"] is None
