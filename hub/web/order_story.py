"""An order's story: what was told, done and scanned, put in one line of time. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.web import order_words, words
from hub.web.i18n import N_, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the story; `document` names the raw document behind it, where one is kept."""

    at: datetime
    tone: str
    title: str
    detail: str | None = None
    document: str | None = None
    struck: bool = False


Rows = Iterable[Mapping[str, Any]]


def story(
    language: Language, *, events: Rows, notices: Rows, scans: Rows, movements: Rows, mails: Rows
) -> list[Moment]:  # fmt: skip
    """From the first notice to the delivery, newest first."""
    tr = language.gettext
    told = [*(_event(language, row) for row in events), *(_notice(language, row) for row in notices)]
    for row in scans:
        tone, name = words.PARCEL.get(row["status"], words.PARCEL["unknown"])
        place = "/".join(filter(None, (row["place"], row["state"]))) or None
        told.append(
            Moment(
                at=row["at"], tone=tone, title=tr(name), struck=row["revoked"],
                detail=" · ".join(filter(None, (row["description"], place))) or None,
            )
        )  # fmt: skip
    for row in movements:
        units = tr(N_("%(units)s un."), units=f"{row['units']:+d}")
        title = tr(N_("Estoque: %(reason)s"), reason=tr(words.REASON[row["reason"]]))
        told.append(Moment(at=row["at"], tone="mute", title=title, detail=f"{units} {row['sku']} · {row['warehouse']}"))
    for row in mails:
        if row["state"] in ("failed", "doubt"):
            title = tr(N_("E-mail ao comprador não saiu"))
            told.append(Moment(at=row["created_at"], tone="bad", title=title, detail=row["reason"]))
    return sorted(told, key=lambda moment: moment.at, reverse=True)


def _event(language: Language, row: Mapping[str, Any]) -> Moment:
    kind, params = row["kind"], row["params"]
    name = words.EVENT.get(kind) or order_words.EVENT.get(kind)
    if kind == "settled":
        outcome = order_words.SETTLED[params["outcome"]]
        said = language.gettext(outcome)
        return Moment(
            at=row["at"], tone="busy", title=language.gettext(name or kind), detail=f"{said} ({params['reason']})"
        )
    return Moment(
        at=row["at"], tone=order_words.TONE.get(kind, "busy"), title=language.gettext(name) if name else kind,
        detail=words.event_detail(language, kind, params) or order_words.detail(kind, params),
    )  # fmt: skip


def _notice(language: Language, row: Mapping[str, Any]) -> Moment:
    took = row["done_at"] and (row["done_at"] - row["received_at"]).total_seconds() * 1000
    detail = language.gettext(N_("tratado em %(ms)s"), ms=language.milliseconds(took)) if took is not None else None
    name = order_words.NOTICE[row["source"]]
    return Moment(
        at=row["received_at"], tone="mute", title=language.gettext(name), detail=detail,
        document=str(row["id"]) if row["has_raw"] else None,
    )  # fmt: skip
