"""Why this number: every step from the shelves to what each listing shows."""

from collections.abc import Iterable
from uuid import UUID

from aiohttp import web

from hub.store import screens
from hub.web.edge import Problem, Visit
from hub.why import Answer
from jobs import counts


async def why(visit: Visit) -> web.Response:
    """One SKU: its levels, and one answer per listing's slot."""
    code = visit.request.match_info["sku"].replace("\x00", "")
    async with visit.tx() as tx:
        sku = await screens.sku(tx, code)
    if sku is None:
        raise Problem(404)
    answers = await counts.explain(visit.rt, visit.seller_id, code)
    async with visit.tx() as tx:
        names = await screens.names(tx, _named(answer for _slot, answer in answers))
    tag = visit.language.tag
    slots = [{**slot, "answer": answer.quantity, "steps": answer.explain(tag, names)} for slot, answer in answers]
    return visit.render("stock.html", sku=sku, slots=slots)


def _named(answers: Iterable[Answer]) -> set[UUID]:
    told = [value for answer in answers for step in answer.steps for value in step.params.values()]
    return {value for value in told if isinstance(value, UUID)}
