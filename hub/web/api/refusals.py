"""What the flows refuse, as the API tells it: the state of things (409), or something that is not there (404)."""

from hub.web import account_words, alert_words, refusal_words, restock_words, settings_words
from hub.web.api.operations import conflict, missing
from hub.web.api.problems import Refused
from hub.web.i18n import N_, Language
from jobs import connect
from jobs.admission import Turned
from jobs.freight import FreightRefused
from jobs.members import MemberRefused
from jobs.processes import ProcessRefused
from jobs.purchase import PurchaseRefused

SAID = N_("%(said)s")
# The kinds of refusals about what is not there.
GONE = ("unknown", "gone", "order", "nobody", "no_order", "no_count", "no_manifest", "no_drift", "no_buffer",
        "no_listing", "no_upload", "no_import")  # fmt: skip


def told(refusal: connect.Refused, language: Language) -> Refused:
    """A flow's refusal as a problem, in the reader's language where the flow has it."""
    if refusal.kind in GONE:
        return missing()
    return conflict(SAID, said=_sentence(refusal, language))


def _sentence(refusal: connect.Refused, language: Language) -> str:
    match refusal:
        case FreightRefused():
            return refusal.told(language.tag)
        case ProcessRefused() if refusal.kind in alert_words.REFUSAL:
            return alert_words.refusal(language, refusal.kind, **refusal.params)
        case MemberRefused():
            return language.gettext(settings_words.REFUSAL[refusal.kind], **refusal.params)
        case PurchaseRefused() if refusal.kind in restock_words.REFUSAL:
            return language.gettext(restock_words.REFUSAL[refusal.kind], **refusal.params)
        case Turned():
            return account_words.turned(language, refusal)
        case _:
            return refusal_words.told(language, refusal)
