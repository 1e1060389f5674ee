"""What the flows refuse, as the API tells it: the state of things (409), or something that is not there (404)."""

from collections.abc import Iterator
from contextlib import contextmanager

from hub.web import alert_words
from hub.web.api.operations import Call, conflict, missing
from hub.web.i18n import N_
from jobs.connect import Refused
from jobs.freight import FreightRefused
from jobs.processes import ProcessRefused

SAID = N_("%(said)s")
GONE = ("unknown", "gone", "order")  # the kinds of refusals about what is not there


@contextmanager
def refusals(call: Call) -> Iterator[None]:
    """A flow's refusal as a problem, in the reader's language where the flow has it."""
    try:
        yield
    except Refused as refusal:
        if getattr(refusal, "kind", None) in GONE:
            raise missing() from None
        raise conflict(SAID, said=_sentence(call, refusal)) from None


def _sentence(call: Call, refusal: Refused) -> str:
    match refusal:
        case FreightRefused():
            return refusal.told(call.language.tag)
        case ProcessRefused() if refusal.kind in alert_words.REFUSAL:
            return alert_words.refusal(call.language, refusal.kind, **refusal.params)
        case _:
            return str(refusal)
