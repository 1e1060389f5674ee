"""One listing: its numbers and why, what was written there, what differed, and what it is and was linked to."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.store import held, listing_story, screens
from hub.store.held import Wanted
from hub.web import audit_words, listing_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import part, place_asked
from hub.web.pages.listings import worded
from jobs import counts, parked

PUSHES = 20


async def listing_in_path(visit: Visit) -> dict[str, Any]:
    """The listing that the address names."""
    async with visit.tx() as tx:
        row = await listing_story.one(tx, visit.id_in_path())
    if row is None:
        raise Problem(404)
    return row


async def one(visit: Visit) -> web.Response:
    """One listing."""
    row = await listing_in_path(visit)
    slot_id, tr = row["slot_id"], visit.language
    async with visit.tx() as tx:
        beside = await listing_story.beside(tx, slot_id, row["id"])
        slots = await listing_story.slots(tx, row)
        pushes = await listing_story.pushes(tx, slot_id, after=place_asked(visit), limit=PUSHES + 1)
        told = await listing_story.differences(tx, slot_id)
        links = await listing_story.links(tx, row["id"])
        waiting = await listing_story.waiting(tx, [row["id"]]) if row["sku"] is None else {}
        stopped = await held.held(tx, "parked", Wanted(ids=[slot_id]), 1)
    return visit.render(
        "listing.html", listing=worded(row), beside=beside, slots=slots, why=await _why(visit, row),
        pushes=part(visit, pushes, "answered_at", size=PUSHES), outcomes=listing_words.OUTCOME,
        other_outcome=listing_words.OTHER_OUTCOME, how=listing_words.HOW, audit=audit_words,
        would_send=stopped[0]["would_send"] if stopped else None, waiting=waiting.get(row["id"]),
        differences=[{**each, "sentence": audit_words.sentence(tr, each)} for each in told],
        links=[{**each, "who": listing_words.who(tr, each["actor"], each["name"])} for each in links],
        address=row["url"] if (row["url"] or "").startswith("https://") else None,
    )  # fmt: skip


async def _why(visit: Visit, row: Mapping[str, Any]) -> list[str]:
    """The steps to the number, in words; none for a listing that sells no SKU, or one of no concern to the hub."""
    if row["sku"] is None:
        return []
    answers = await counts.explain(visit.rt, visit.seller_id, row["sku"], only=row["slot_id"])
    named = {value for _slot, answer in answers for step in answer.steps for value in step.params.values()}
    async with visit.tx() as tx:
        names = await screens.names(tx, {value for value in named if isinstance(value, UUID)})
    return [sentence for _slot, answer in answers for sentence in answer.explain(visit.language.tag, names)]


async def try_again(visit: Visit) -> web.Response:
    """Let what the channel refused be tried again: the hub looks at the listing, then writes where it still differs."""
    row = await listing_in_path(visit)
    freed = await parked.unpark(visit.rt, visit.seller_id, Wanted(ids=[row["slot_id"]]))
    if freed:
        visit.say("ok", N_("O hub lê o anúncio e tenta de novo agora."))
    else:
        visit.say("bad", N_("Este anúncio não está mais estacionado."))
    return visit.go(f"/anuncios/{row['id']}")


async def release(visit: Visit) -> web.Response:
    """Let a zero that the brake holds go out: a person has looked at it."""
    row = await listing_in_path(visit)
    freed = await parked.release(visit.rt, visit.seller_id, Wanted(ids=[row["slot_id"]]))
    if freed:
        visit.say("ok", N_("O zero segue agora para o canal."))
    else:
        visit.say("bad", N_("O freio não segura mais este anúncio."))
    return visit.go(f"/anuncios/{row['id']}")
