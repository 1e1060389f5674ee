"""TikTok's errors: a code inside a 200. Pure."""

from hub import parse
from hub.contract import json_of
from hub.faults import Fault, Unreadable
from hub.model import Raw, Reply

STALE_TOKEN: frozenset[int | str] = frozenset({401, "105002"})
FAULTS: dict[int | str, Fault] = {
    # The groups of tokens and signatures: a refused refresh token, a wrong secret, an unknown application.
    **dict.fromkeys(map(str, (*range(105_000, 106_000), *range(36_004_000, 36_005_000))), Fault.AUTH),
    "105001": Fault.AUTH,  # no such token
    "105002": Fault.AUTH,  # expired, and renewing did not help
    "105005": Fault.AUTH,  # a scope is missing: the seller authorizes again
    "106001": Fault.AUTH,  # wrong signature
    "106013": Fault.AUTH,  # shop_cipher is missing: the account must be checked again
    "1010000": Fault.AUTH,  # the token is of no shop
    "36009003": Fault.TRANSIENT,  # internal error
    "36009004": Fault.AUTH,  # key, token, signature or time is not valid
    "36009033": Fault.AUTH,  # this address is not on the application's list
    "36009002": Fault.THROTTLED,
    "36009007": Fault.TRANSIENT,  # it took too long
    "36009009": Fault.REJECTED,  # no such path: also where the id in it is of nothing
    "36009010": Fault.REJECTED,  # no such method
    "36009022": Fault.REJECTED,  # not the format that is asked for
    "12052097": Fault.REJECTED,  # the warehouse does not exist
    400: Fault.REJECTED,
    401: Fault.AUTH,
    403: Fault.AUTH,
    404: Fault.MISSING,
    429: Fault.THROTTLED,
}


def code_of(body: Raw) -> str | None:
    """The code of an answer; 0 (also "0") is none."""
    told = body.get("code") if isinstance(body, dict) else None
    if isinstance(told, bool) or not isinstance(told, str | int):
        return None
    return parse.ref(told)


def read_error(reply: Reply) -> str | None:
    """The code that an answer tells in whatever status."""
    try:
        return code_of(json_of(reply))
    except Unreadable:
        return None
