"""What an API key may be allowed to do: one table, for keys, operations, pages and the command line."""

from collections.abc import Iterable, Mapping

from hub.members import reaches
from hub.web.i18n import N_

SCOPES: Mapping[str, str] = {
    "orders:read": N_("ler pedidos, prazos e faltas, sem dados pessoais do comprador"),
    "orders:write": N_("anotar e marcar pedidos; refazer e mover as reservas deles"),
    "documents:read": N_("ler o que os canais disseram dos pedidos, palavra por palavra, ao lado de customers:read"),
    "customers:read": N_("ver nome, documento, contato e endereço dos compradores nos pedidos que lê"),
    "stock:read": N_("ler o estoque e o porquê de cada número"),
    "stock:write": N_("contar, ajustar, importar e transferir estoque; mudar SKUs, kits e margens de segurança"),
    "warehouses:write": N_("criar, mudar e fechar depósitos; dizer de onde as contas vendem"),
    "listings:read": N_("ler anúncios, vínculos e diferenças"),
    "listings:write": N_("vincular anúncios, tentar de novo os recusados e decidir diferenças"),
    "accounts:read": N_("ler contas e canais, sem credenciais"),
    "accounts:write": N_("verificar, pausar e retomar contas"),
    "accounts:connect": N_("ligar, religar, renomear e desligar contas; registrar os avisos delas"),
    "accounts:approve": N_("aprovar o que o hub escreve nas contas, e retirar; soltar zeros; regras das diferenças"),
    "shipments:read": N_("ler envios, rastreios e cotações de frete"),
    "shipments:write": N_("cotar frete, comprar, imprimir e cancelar etiquetas; assinar romaneios"),
    "purchases:read": N_("ler fornecedores, compras e sugestões de reposição"),
    "purchases:write": N_("fazer e mudar fornecedores e compras, e como cada SKU é reposto"),
    "returns:read": N_("ler devoluções"),
    "returns:write": N_("receber devoluções"),
    "alerts:read": N_("ler alertas"),
    "alerts:write": N_("passar adiante, marcar passos, anotar, adiar e encerrar alertas"),
    "processes:read": N_("ler os processos (o que fazer em cada tipo de alerta) e as ausências"),
    "processes:write": N_("mudar processos e registrar ausências de qualquer pessoa"),
    "notices:read": N_("ler por onde cada pessoa é avisada de alertas, sem endereços"),
    "notices:write": N_("ligar, mudar, testar e remover caminhos de avisos"),
    "events:read": N_("ler os eventos da loja, os destinos deles e o registro"),
    "events:write": N_("criar, mudar e remover destinos de eventos; reenviar"),
    "people:read": N_("ler quem trabalha na loja e os convites abertos"),
    "people:write": N_("convidar, mudar e remover operadores, estoque e leitores"),
    "owners:write": N_("também donos e gerentes, ao lado de people:write; só um dono dá"),
    "policies:read": N_("ler as políticas da loja e das contas, e os textos aos compradores"),
    "policies:write": N_("mudar as políticas da loja e das contas, e os textos aos compradores"),
    "audit:read": N_("ler o registro de quem fez o quê"),
    "sync:read": N_("ler a saúde das contas, as invariantes e o que está parado"),
    "sync:write": N_("repetir o que está parado"),
}

LEAST = {"owners:write": "owner"}  # who may give a scope, where a manager may not


def given_by(role: str) -> dict[str, str]:
    """The scopes that somebody of this role may give to a key, with what each allows."""
    return {name: words for name, words in SCOPES.items() if reaches(role, LEAST.get(name, "manager"))}


def unknown(told: Iterable[str]) -> list[str]:
    """Those that are no scopes."""
    return [each for each in told if each not in SCOPES]
