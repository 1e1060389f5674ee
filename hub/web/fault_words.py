"""The hub's own sentences about calls that failed, which are kept in English, as their readers read them.

What a channel says stays in its own words; what these tables do not know stays as it is.
"""

import re

from hub.faults import Fault
from hub.web.i18n import N_, Language

# As hub.http, hub.gate, hub.answers, hub.breaker, hub.throttle and the jobs write them -> in words; groups fill them.
OWN: dict[str, str] = {
    r"(?P<host>\S+): no connection": N_("%(host)s não aceita conexão"),
    r"(?P<host>\S+): its certificate is not valid": N_("o certificado de %(host)s não é válido"),
    r"(?P<host>\S+) did not answer within (?P<seconds>[\d.]+) s": N_("%(host)s não respondeu em %(seconds)s s"),
    r"(?P<host>\S+) closed the connection before its answer was complete": N_(
        "%(host)s fechou a conexão antes de terminar a resposta"
    ),
    r"(?P<host>\S+) is no address that we can call": N_("%(host)s não é um endereço que o hub possa chamar"),
    r"that is no (?:http or https )?address that we can call": N_(
        "não é um endereço http ou https que o hub possa chamar"
    ),
    r"(?P<host>\S+) is another host, and not over https": N_("%(host)s é outro servidor, e sem https"),
    r"(?P<host>\S+) is at (?P<ip>\S+), not a public one; if meant, add it to BALCAO_ALLOW_PRIVATE_HOSTS": N_(
        "%(host)s fica em %(ip)s, que não é um endereço público; se for de propósito, quem instalou o hub o libera em "
        "BALCAO_ALLOW_PRIVATE_HOSTS"
    ),
    r"it sends us to (?P<there>\S+), where we do not follow: is the address right\?": N_(
        "o endereço leva a %(there)s, e o hub não segue: ele está certo?"
    ),
    r"the answer is longer than (?P<size>\d+) MB": N_("a resposta passa de %(size)s MB"),
    r"the answer's compression is broken": N_("a compressão da resposta está quebrada"),
    r"no answer of this channel: \w+": N_("a resposta não é deste canal"),
    r"a key holds characters that no header may hold: type it in again": N_(
        "uma chave tem caracteres que não podem estar nela: digite de novo"
    ),
    r"status (?P<status>\d{3})": N_("código %(status)s, sem explicação"),
    r"our limit frees in (?P<seconds>[\d.]+) s": N_("o limite de chamadas abre em %(seconds)s s"),
    r"the channel failed again and again; it is left alone for a while": N_(
        "o canal falhou várias vezes seguidas e descansa um pouco"
    ),
    r"the worker stood still": N_("o hub ficou parado no meio da escrita"),
    r"another worker is still renewing the token": N_("o acesso está sendo renovado"),
    r"the token was renewed by another worker meanwhile": N_("o acesso foi renovado neste meio-tempo"),
    r"there is nothing to ask the carrier by yet": N_("ainda não há código com que perguntar à transportadora"),
    r"together with what else is told": N_("espera outros avisos do mesmo pedido"),
    r"who fulfils it is not told yet": N_("o canal ainda não disse quem envia"),
    r"nobody knows whether it was bought": N_("não se sabe se foi comprada"),
    r"a person saw that it was not bought": N_("uma pessoa viu que não foi comprada"),
}
_OWN = {re.compile(told): words for told, words in OWN.items()}


_FAILURE = re.compile(r"(?s)(\w+) ([^:]*): (.*)")


def failure(told: str | None) -> tuple[Fault | None, str, str]:
    """(fault, the channel's code, its sentence) of an error as flows write it; an unclassed one is all sentence."""
    found = _FAILURE.fullmatch(told or "")
    if found is None or found[1] not in set(Fault):
        return None, "", told or ""
    return Fault(found[1]), found[2], found[3]


def said(language: Language, detail: str | None) -> str:
    """A sentence about a failure in the reader's language, where it is the hub's own."""
    told = (detail or "").strip()
    for pattern, sentence in _OWN.items():
        if found := pattern.fullmatch(told):
            return language.gettext(sentence, **found.groupdict())
    return told
