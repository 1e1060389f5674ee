"""A SKU's stock over the API: levels, holds, shortages, and why each channel shows its number."""

from typing import Any

from hub.web.api.edge import Call, Refused
from hub.web.i18n import N_
from jobs import shown


async def show(call: Call) -> dict[str, Any]:
    """GET /api/v1/skus/{code}/stock: units; `slots[].steps` lead to `available`, one sentence each."""
    code = call.named("code")
    told = await shown.sku_stock(call.rt, call.seller, code)
    if told is None:
        raise Refused(404, N_("Não há SKU %(code)s."), code=code)
    facts, answers, names = told
    locale = call.language.tag
    levels = [{**level, "free": max(0, level["on_hand"] - level["reserved"])} for level in facts["levels"]]
    slots = [
        {
            "account": {"id": slot["account_id"], "name": slot["account"], "channel": slot["channel"]},
            "ref": slot["ref"], "available": answer.quantity, "desired": slot["desired"], "pushed": slot["pushed"],
            "expected": slot["expected"], "seen": slot["seen"], "seen_at": slot["seen_at"],
            "parked_reason": slot["parked_reason"], "braked": slot["braked"],
            "steps": [
                {"kind": step.kind, "text": step.explain(locale, names), "params": dict(step.params)}
                for step in answer.steps
            ],
        }
        for slot, answer in answers
    ]  # fmt: skip
    return {**facts, "levels": levels, "slots": slots}
