"""TikTok's errors: a code inside a 200. Pure."""

from hub import parse
from hub.calls import said, told_in
from hub.faults import Fault
from hub.model import Reply

FAULTS: dict[int | str, Fault] = {
    # The groups of tokens and signatures: a refused refresh token, a wrong secret, an unknown application; 105002 is
    # an expired token that renewing did not help, 105005 a scope that is missing: the seller authorizes again.
    **dict.fromkeys(map(str, (*range(105_000, 106_000), *range(36_004_000, 36_005_000))), Fault.AUTH),
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
    401: Fault.AUTH,
    429: Fault.THROTTLED,
}


def read_error(reply: Reply) -> str | None:
    """The code that an answer tells in whatever status; 0 (also "0") is none."""
    return parse.ref(said(told_in(reply), "code"))
