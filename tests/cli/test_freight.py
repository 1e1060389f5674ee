"""Freight from a terminal: measured, quoted, bought, printed, signed off; and a death right after buying."""

import asyncio
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pypdf import PdfReader

from jobs import freight as quotes
from tests.flows.freighting import SENDER, lapse, seller, sold
from tests.flows.test_freight_buying import preposts, purchases
from tests.world import World, world


async def balcao(w: World, *words: object, status: int = 0, stdin: str = "") -> tuple[str, str]:
    """(stdout, stderr) of the program, in a process of its own."""
    running = await started(w, *words)
    out, err = await asyncio.wait_for(running.communicate(stdin.encode()), 90)
    assert running.returncode == status, (out, err)
    return out.decode(), err.decode()


async def started(w: World, *words: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from hub.cli import main; main()", *map(str, words), env=w.environment(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def told(w: World, *words: object, **more: Any) -> Any:
    return json.loads((await balcao(w, *words, "--json", **more))[0])


@pytest.mark.slow
async def test_a_parcel_from_measuring_to_the_carriers_hands(tmp_path: Path) -> None:
    async with world() as w:
        store, carrier = await seller(w)
        await sold(w, store)
        number = (await w.row("SELECT number FROM orders"))["number"]
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE sku SET weight_g = NULL")
            await tx.run("DELETE FROM freight_policy")
        _out, err = await balcao(w, "freight", "quote", number, status=2)
        assert err.strip().endswith("or `freight measure`")
        assert [row["sku"] for row in await told(w, "freight", "missing")] == ["CANECA", "LIVRO"]
        await balcao(w, "freight", "measure", "CANECA=350,90x120x100", "LIVRO=900,240x170x30")
        policy = await told(w, "freight", "policy", "--sender", "-", "--tare-g", 100, stdin=json.dumps(SENDER))
        assert (policy["sender"]["name"], policy["tare_g"]) == (SENDER["name"], 100)
        out, _err = await balcao(w, "freight", "quote", number, "--rule", "fastest")
        assert "volume 1: 18x12x10 cm, 800 g: 2 x CANECA" in out
        assert out.strip().endswith("A mais rápida entre 2.")
        (row,) = await told(w, "freight", "preview", number)
        assert (row["name"], row["volumes"]) == ("PAC", 1)
        out, _err = await balcao(w, "freight", "buy", number, "--carrier", "correios", "--service", "03220")
        assert "labels in all: 1, BRL " in out
        assert preposts(carrier) == []
        (label,) = await told(w, "freight", "buy", number, "--carrier", "correios", "--service", "03220", "--yes")
        assert (label["status"], label["service"], label["again"]) == ("bought", "03220", False)
        (again,) = await told(w, "freight", "buy", number, "--yes")
        assert (again["id"], again["again"]) == (label["id"], True)
        assert [row["id"] for row in await told(w, "freight", "list", "--status", "bought")] == [label["id"]]
        _out, err = await balcao(w, "freight", "settle", label["reference"], "--not-bought", status=2)
        assert "is not in doubt (bought)" in err
        out, _err = await balcao(w, "freight", "label", number, "--out", tmp_path / "e.pdf")
        assert out == f"1 of 1 labels written to {tmp_path / 'e.pdf'}.\n"
        (page,) = PdfReader(tmp_path / "e.pdf").pages
        assert label["tracking_code"] in page.extract_text()
        files = ("--pdf", tmp_path / "r.pdf", "--csv", tmp_path / "r.csv")
        out, _err = await balcao(w, "freight", "manifest", "correios", "--sign", "João", *files)
        assert "Manifest 1: João took 1 parcels." in out
        paper = PdfReader(io.BytesIO((tmp_path / "r.pdf").read_bytes())).pages[0].extract_text()
        assert "Romaneio nº 1" in paper
        assert label["tracking_code"] in paper
        assert label["tracking_code"] in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")
        assert [row["parcels"] for row in await told(w, "freight", "manifests")] == [1]
        _out, err = await balcao(w, "freight", "cancel", number, status=2)
        assert "left with a manifest" in err
        assert len(preposts(carrier)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("arrives", [True, False])
async def test_a_process_killed_while_it_buys_leaves_one_label(*, arrives: bool) -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        reached, forever = asyncio.Event(), asyncio.Event()

        def wrap(handler: Any) -> Any:
            async def stall(request: web.Request) -> web.StreamResponse:
                answer: web.StreamResponse = await handler(request) if arrives else web.Response()
                reached.set()
                await forever.wait()
                return answer

            return stall

        with purchases(carrier, wrap):
            await quotes.latest(w.rt, w.seller_id, order)
            running = await started(w, "freight", "buy", str(order), "--yes")
            await asyncio.wait_for(reached.wait(), 60)
            os.kill(running.pid, signal.SIGKILL)
            await running.wait()
            forever.set()
        assert len(preposts(carrier)) == arrives
        assert (await w.row("SELECT status FROM freight_label"))["status"] == "buying"
        await lapse(w)
        (label,) = await told(w, "freight", "buy", str(order), "--yes")
        (posting,) = preposts(carrier)
        assert (label["status"], label["tracking_code"]) == ("bought", posting.code)
        assert len(await w.rows("SELECT 1 FROM shipment")) == 1
