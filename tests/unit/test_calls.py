"""What channels' answers have in common before anyone reads them."""

import pytest

from hub.calls import refusal_of, within
from hub.model import Reply


@pytest.mark.parametrize(
    ("status", "body", "want"),
    [
        (400, b'{"error": "x"}', {"error": "x"}),
        (200, b'{"error": "x"}', {}),  # no refusal
        (502, b"<html>Bad Gateway</html>", {}),
        (400, b'["x"]', {}),
        (400, b"[" * 100_000, {}),
    ],
)
def test_what_a_refusal_tells(status: int, body: bytes, want: dict[str, str]):
    assert refusal_of(Reply(status=status, headers={}, body=body)) == want


def test_a_document_that_nobody_has_read():
    raw = {"buyer": {"billing_info": {"id": 7}}, "shipping": []}
    assert within(raw, "buyer", "billing_info", "id") == 7
    assert within(raw, "shipping", "id") is None
    assert within(raw, "none", "id") is None
    assert within("x", "id") is None
