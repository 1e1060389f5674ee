"""Labels as files: fetched once, kept sealed, merged in the order asked; what cannot be had is named."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from hub.context import working_for
from hub.contract import Api, FreightSource
from hub.faults import POLICIES, ChannelError
from hub.labels import Layout, merged
from hub.secrets import SecretsError
from hub.store import channel_labels, labels, people
from jobs.freight import FreightRefused
from jobs.runtime import Runtime, log

AT_ONCE = 6  # labels fetched at the same time
ASKS, PAUSE = 20, 0.5  # a carrier makes a label in seconds: so often it is asked for, and so long apart
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """One file of labels, in the order asked, and what is not in it: a sentence by label. No labels, no file."""

    pdf: bytes | None
    labels: list[dict[str, Any]]
    failures: dict[UUID, str] = field(default_factory=dict)

    def named(self) -> list[str]:
        """A sentence for each label that is not in the file, its order named."""
        return [
            f"{label['number']} ({label['volume']}/{label['volumes']}): {self.failures[label['id']]}"
            for label in self.labels
            if label["id"] in self.failures
        ]


async def drawable(pdf: bytes) -> bytes:
    """The label, once it was drawn: one that cannot be must not spoil the file of a hundred. ValueError says why."""
    await asyncio.to_thread(merged, [pdf], Layout.SMALL)
    return pdf


def sealed(rt: Runtime, pdf: bytes) -> bytes:
    """A label as it is kept: it names a person and where they live."""
    return rt.vault.seal({"pdf": base64.b64encode(pdf).decode()})


async def printed(
    rt: Runtime, seller_id: UUID, ids: Sequence[UUID], layout: Layout, *, step: Callable[[int], object] | None = None
) -> Printed:
    """These labels as one file. `step` is told how many are there, as each comes."""
    told, failures = await fetched(rt, seller_id, ids, step=step)
    async with rt.db.seller(seller_id) as tx:
        known = await labels.some(tx, ids)
    there = [label["id"] for label in known if label["id"] in told]
    pdf = await asyncio.to_thread(merged, [told[id_] for id_ in there], layout) if there else None
    async with rt.db.seller(seller_id) as tx:
        await labels.printed(tx, there, rt.now())
    return Printed(pdf=pdf, labels=known, failures=failures)


async def fetched(
    rt: Runtime, seller_id: UUID, ids: Sequence[UUID], *, step: Callable[[int], object] | None = None,
    seconds: float | None = None, locale: str = "en",
) -> tuple[dict[UUID, bytes], dict[UUID, str]]:  # fmt: skip
    """(files, sentences) by label, our own ones in "pt-BR" or "en".

    After `seconds` what has not come is in neither: it can be asked for again.
    """
    async with rt.db.seller(seller_id) as tx:
        known = await labels.some(tx, ids)
    return await gathered(known, partial(_one, rt, seller_id), step=step, seconds=seconds, locale=locale)


async def gathered(
    known: Sequence[dict[str, Any]], fetch: Callable[[dict[str, Any]], Awaitable[bytes]], *,
    step: Callable[[int], object] | None, seconds: float | None, locale: str,
) -> tuple[dict[UUID, bytes], dict[UUID, str]]:  # fmt: skip
    """What `fetch` answers of each of these labels, or why it does not; as `fetched`."""
    gate, told, failures = asyncio.Semaphore(AT_ONCE), dict[UUID, bytes](), dict[UUID, str]()

    async def one(label: dict[str, Any]) -> None:
        async with gate:
            try:
                told[label["id"]] = await fetch(label)
            except FreightRefused as refusal:
                failures[label["id"]] = refusal.told(locale)
            except ChannelError as problem:
                failures[label["id"]] = problem.detail
            except ValueError as problem:
                failures[label["id"]] = str(problem)
            except Exception as problem:  # noqa: BLE001 - the boundary: one label's trouble is not another's
                log.exception("label failed", label=str(label["id"]))
                failures[label["id"]] = type(problem).__name__
            if step:
                step(len(told) + len(failures))

    work = asyncio.gather(*map(one, known))
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.debug("labels still come", there=len(told), asked=len(known))
    return told, failures


async def _one(rt: Runtime, seller_id: UUID, label: dict[str, Any]) -> bytes:
    if label["status"] not in ("bought", "cancelling"):
        raise FreightRefused("no_label", number=label["number"])
    async with rt.db.seller(seller_id) as tx:
        kept = await labels.pdf(tx, label["id"])
    if kept is not None:
        try:
            return await drawable(base64.b64decode(rt.vault.open(kept)["pdf"]))
        except SecretsError:
            log.info("label sealed under a key that is gone: fetched again", label=str(label["id"]))
    pdf = await drawable(await _from_carrier(rt, seller_id, label))
    async with rt.db.seller(seller_id) as tx:
        await labels.keep_pdf(tx, label["id"], sealed(rt, pdf), rt.now())
    return pdf


async def _from_carrier(rt: Runtime, seller_id: UUID, label: dict[str, Any]) -> bytes:
    account = await rt.account(seller_id, label["account_id"])
    source = rt.adapter(account.channel).freight
    if source is None or source.ask_label is None or source.label is None:
        raise ValueError(f"{account.name} makes no label by its API: print it at the carrier's own site")
    try:
        with working_for(seller_id, account.id):
            return await _asked(await rt.api(account), source, label["ref"])
    except ChannelError as problem:
        if POLICIES[problem.fault].holds_account:
            await rt.hold(account, problem)
        raise


async def _asked(api: Api, source: FreightSource, ref: str) -> bytes:
    if source.ask_label is None or source.label is None:
        raise ValueError("this carrier makes no label by its API")
    receipt = await source.ask_label(api, [ref])
    for ask in range(ASKS):
        if ask:
            await asyncio.sleep(PAUSE)
        if pdf := await source.label(api, receipt):
            return pdf
    raise ValueError(f"the carrier had not made the label after {ASKS * PAUSE:g} s: ask again")


async def prune(rt: Runtime) -> None:
    """Let go of labels kept longer than KEPT: the parcel is there, and the carrier has it still."""
    async with rt.db.dispatch() as tx:
        sellers = [row["seller_id"] for row in await people.sellers(tx)]
    for seller_id in sellers:
        async with rt.db.seller(seller_id) as tx:
            await labels.drop_pdfs(tx, rt.now() - KEPT)
            await channel_labels.drop(tx, rt.now() - KEPT)
