"""One field, several spellings."""

import pytest

from hub.faults import Unreadable
from hub.spelling import Spelt


def test_a_field_is_read_however_it_is_spelt():
    for raw in ({"order_id": 7}, {"orderId": 7}, {"OrderId": 7}):
        assert Spelt({"box": [raw]}, "").rows("box")[0].ref("order_id") == "7"
    assert Spelt({"ShipTo": {"addressLine1": "Rua A"}}, "o").text("ship_to.address_line1") == "Rua A"
    assert Spelt({"ShipTo": {}}, "o").text("ship_to.address_line1") is None


def test_a_path_is_told_as_the_document_spells_it():
    o = Spelt({"ShipTo": {"unitCount": "x"}, "rows": [{"Id": None}]}, "o")
    assert (o.at("ship_to"), o.at("never")) == ("o.ShipTo", "o.never")
    with pytest.raises(Unreadable, match=r"o\.ShipTo\.unitCount: "):
        o.units("ship_to.unit_count")
    with pytest.raises(Unreadable, match=r"o\.rows\.0\.Id: not told"):
        o.rows("rows")[0].needed_ref("id")
