"""XML read as documents: by local name, always a list where one is meant, and nothing that could grow."""

import pytest

from hub.faults import Unreadable
from hub.xml_answers import document, soap_body


def test_by_local_name_with_attributes_and_text():
    told = document(
        '<?xml version="1.0" encoding="ISO-8859-1"?><a:one xmlns:a="urn:x" a:kind="k"><a:two>é</a:two><b/></a:one>'
    )
    assert told == {"one": {"@kind": "k", "two": "é", "b": None}}


@pytest.mark.parametrize(
    ("page", "rows"),
    [("<l><r>1</r></l>", ["1"]), ("<l><x:r xmlns:x='u'>1</x:r><x:r xmlns:x='u'>2</x:r></l>", ["1", "2"])],
)
def test_a_list_of_one_is_a_list_where_said_so(page: str, rows: list[str]):
    assert document(page, lists=("r",)) == {"l": {"r": rows}}


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("", "not XML"), ("{}", "not XML"), ("<html><body/></html>", "an HTML page"), ("<a><b></a>", "not XML"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DTD"), ('<?xml version="1.0"?><!ENTITY x "y"><a/>', "DTD"),
        ("<a>\x00</a>", "not XML"),
    ],
)  # fmt: skip
def test_what_is_no_xml_is_refused(page: str, why: str):
    with pytest.raises(Unreadable, match=why):
        document(page)


def test_a_soap_envelope_is_opened():
    answer = '<m:answer xmlns:m="urn:m"><code>1</code></m:answer>'
    page = f'<s:Envelope xmlns:s="urn:s"><s:Header/><s:Body>{answer}</s:Body></s:Envelope>'
    assert soap_body(page) == {"answer": {"code": "1"}}
    assert soap_body('<s:Envelope xmlns:s="urn:s"><s:Body/></s:Envelope>') == {}
    with pytest.raises(Unreadable, match="not a SOAP envelope"):
        soap_body("<answer/>")
