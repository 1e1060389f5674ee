"""The seller's pages: which address is answered by what, and the role that it asks for."""

from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from hub.web import feed, static_files, words
from hub.web.auth import Door
from hub.web.beginning import FOUNDING, Founding
from hub.web.edge import DOOR, nowhere, page
from hub.web.feed import FEED, Feed
from hub.web.pages import (
    accounts,
    alerts,
    api_keys,
    audit,
    audit_log,
    connecting,
    deadlines,
    entry,
    first_run,
    founding,
    health,
    labels,
    letters,
    listings,
    order,
    orders,
    panel,
    parcel,
    previews,
    processes,
    purchases,
    restock,
    security,
    settings,
    shipments,
    shortages,
    stock,
    sync,
)

TEMPLATES = Path(__file__).parent.parent / "templates"

# (method, path, handler, least role, as hub.members.REACH has them; None: everybody, signed in or not)
ROUTES = (
    ("GET", "/comecar", founding.form, None),
    ("POST", "/comecar", founding.begin, None),
    ("POST", "/entrar", entry.sign_in, None),
    ("GET", "/entrar/codigo", entry.code_form, None),
    ("POST", "/entrar/codigo", entry.code, None),
    ("POST", "/sair", entry.sign_out, None),
    ("POST", "/sair-de-tudo", entry.sign_out_everywhere, "member"),
    ("POST", "/idioma", entry.set_language, "member"),
    ("POST", "/loja", entry.set_seller, "member"),
    ("GET", "/", panel.show, "member"),
    ("GET", "/primeiros-passos", first_run.show, "viewer"),
    ("POST", "/primeiros-passos/guardar", first_run.put_away, "operator"),
    ("POST", "/primeiros-passos/mostrar", first_run.bring_back, "operator"),
    ("POST", "/primeiros-passos/ligar", first_run.link, "manager"),
    ("GET", "/primeiros-passos/estoque", first_run.stock, "manager"),
    ("POST", "/primeiros-passos/estoque", first_run.open_stock, "manager"),
    ("GET", "/ao-vivo", feed.stream, "member"),
    ("GET", "/contas", accounts.every, "viewer"),
    ("GET", "/contas/nova", connecting.form, "manager"),
    ("POST", "/contas/nova", connecting.connect_account, "manager"),
    ("GET", "/contas/{id}", accounts.one, "viewer"),
    ("GET", "/contas/{id}/previa", previews.preview, "viewer"),
    ("GET", "/contas/{id}/previa.csv", previews.sheet, "viewer"),
    ("POST", "/contas/{id}/verificar", accounts.check, "operator"),
    ("POST", "/contas/{id}/pausar", accounts.pause, "operator"),
    ("POST", "/contas/{id}/retomar", accounts.resume, "manager"),
    ("POST", "/contas/{id}/aprovar", previews.approve, "manager"),
    ("POST", "/contas/{id}/desaprovar", previews.revoke, "manager"),
    ("GET", "/pedidos", orders.every, "viewer"),
    ("GET", "/pedidos/planilha.csv", orders.sheet, "viewer"),
    ("POST", "/pedidos/planilha.csv", orders.sheet_of_chosen, "operator"),
    ("POST", "/pedidos/marcar", orders.mark, "operator"),
    ("POST", "/pedidos/realocar", orders.reallocate, "operator"),
    ("POST", "/pedidos/visoes", orders.save_view, "viewer"),
    ("POST", "/pedidos/visoes/{id}/esquecer", orders.drop_view, "viewer"),
    ("GET", "/pedidos/{id}", order.one, "viewer"),
    ("POST", "/pedidos/{id}/notas", order.note, "operator"),
    ("POST", "/pedidos/{id}/notas/{note}/remover", order.unnote, "operator"),
    ("GET", "/pedidos/{id}/documentos/{what}", order.document, "manager"),
    ("GET", "/pedidos/{id}/alocacao", order.allocation, "viewer"),
    ("POST", "/pedidos/{id}/alocacao", order.place, "operator"),
    ("GET", "/prazos", deadlines.every, "viewer"),
    ("GET", "/anuncios", listings.every, "member"),
    ("GET", "/estoque/{sku:.+}", stock.why, "member"),
    ("GET", "/envios", shipments.every, "member"),
    ("GET", "/etiquetas", labels.every, "member"),
    ("POST", "/etiquetas/cotar", labels.quote, "operator"),
    ("POST", "/etiquetas/comprar", labels.buy, "operator"),
    ("POST", "/etiquetas/imprimir", labels.print_, "warehouse"),
    ("GET", "/etiquetas/impressao/{id}", labels.progress, "warehouse"),
    ("GET", "/etiquetas/impressao/{id}/etiquetas.pdf", labels.file, "warehouse"),
    ("POST", "/etiquetas/romaneio", labels.sign, "warehouse"),
    ("GET", "/etiquetas/romaneio/{id}/{kind:pdf|csv}", labels.manifest, "member"),
    ("POST", "/etiquetas/{id}/cancelar", labels.cancel, "operator"),
    ("GET", "/conferencia", audit.every, "viewer"),
    ("POST", "/conferencia/{id}/aceitar", audit.accept, "operator"),
    ("POST", "/conferencia/{id}/dispensar", audit.dismiss, "operator"),
    ("GET", "/saude", health.show, "viewer"),
    ("GET", "/alertas", alerts.every, "viewer"),
    ("GET", "/alertas/{id}", alerts.one, "viewer"),
    ("POST", "/alertas/{id}/assumir", alerts.take, "operator"),
    ("POST", "/alertas/{id}/passar", alerts.assign, "operator"),
    ("POST", "/alertas/{id}/passo", alerts.tick, "operator"),
    ("POST", "/alertas/{id}/adiar", alerts.snooze, "operator"),
    ("POST", "/alertas/{id}/anotar", alerts.note, "operator"),
    ("POST", "/alertas/{id}/encerrar", alerts.close, "operator"),
    ("POST", "/alertas/{id}/reabrir", alerts.reopen, "operator"),
    ("GET", "/processos", processes.every, "viewer"),
    ("GET", "/processos/{kind}", processes.one, "viewer"),
    ("POST", "/processos/{kind}", processes.save, "manager"),
    ("POST", "/processos/{kind}/padrao", processes.reset, "manager"),
    ("POST", "/ausencias", processes.add_absence, "operator"),
    ("POST", "/ausencias/{id}/encerrar", processes.end_absence, "operator"),
    ("GET", "/sincronizacao", sync.show, "viewer"),
    ("GET", "/sincronizacao/parados", letters.every, "viewer"),
    ("GET", "/sincronizacao/parados/previa", letters.preview, "operator"),
    ("POST", "/sincronizacao/parados/repetir", letters.repeat, "operator"),
    ("GET", "/sincronizacao/documentos/{id}", letters.document, "manager"),
    ("GET", "/faltas", shortages.every, "viewer"),
    ("GET", "/faltas/{id}", shortages.one, "viewer"),
    ("GET", "/reposicao", restock.every, "viewer"),
    ("POST", "/reposicao/pedir", restock.order, "manager"),
    ("GET", "/reposicao/{id}", restock.one, "viewer"),
    ("POST", "/reposicao/{id}", restock.set_sku, "manager"),
    ("GET", "/compras", purchases.every, "viewer"),
    ("POST", "/fornecedores", purchases.add_supplier, "manager"),
    ("GET", "/compras/{id}", purchases.one, "viewer"),
    ("GET", "/compras/{id}/planilha.csv", purchases.sheet, "viewer"),
    ("GET", "/compras/{id}/imprimir", purchases.printed, "viewer"),
    ("POST", "/compras/{id}/itens", purchases.edit, "manager"),
    ("POST", "/compras/{id}/enviar", purchases.send, "manager"),
    ("POST", "/compras/{id}/receber", purchases.receive, "operator"),
    ("POST", "/compras/{id}/encerrar", purchases.close_short, "manager"),
    ("POST", "/compras/{id}/cancelar", purchases.cancel, "manager"),
    ("GET", "/convite/{token}", settings.invited, None),
    ("POST", "/convite/{token}", settings.accept, None),
    ("GET", "/configuracoes", settings.home, "member"),
    ("GET", "/configuracoes/pessoas", settings.everybody, "manager"),
    ("POST", "/configuracoes/pessoas", settings.invite, "manager"),
    ("POST", "/configuracoes/pessoas/{id}/papel", settings.set_role, "manager"),
    ("POST", "/configuracoes/pessoas/{id}/remover", settings.remove, "manager"),
    ("POST", "/configuracoes/convites/{id}/retirar", settings.withdraw, "manager"),
    ("GET", "/configuracoes/seguranca", security.show, "member"),
    ("POST", "/configuracoes/seguranca/fator", security.begin, "member"),
    ("POST", "/configuracoes/seguranca/fator/confirmar", security.confirm, "member"),
    ("POST", "/configuracoes/seguranca/fator/codigos", security.renew, "member"),
    ("POST", "/configuracoes/seguranca/fator/desligar", security.turn_off, "member"),
    ("POST", "/configuracoes/seguranca/exigir", security.require, "owner"),
    ("POST", "/configuracoes/seguranca/sessoes", security.end_others, "member"),
    ("POST", "/configuracoes/seguranca/sessoes/{id}", security.end, "member"),
    ("GET", "/configuracoes/chaves", api_keys.every, "manager"),
    ("POST", "/configuracoes/chaves", api_keys.add, "manager"),
    ("POST", "/configuracoes/chaves/{id}/revogar", api_keys.revoke, "manager"),
    ("GET", "/configuracoes/registro", audit_log.every, "manager"),
    ("GET", "/configuracoes/registro.csv", audit_log.sheet, "manager"),
)


def setup(app: web.Application) -> None:
    """Add the pages to the application. Each route carries its own guard: webhooks pay for none of it."""
    env = aiohttp_jinja2.setup(
        app, loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    env.globals.update(static=static_files.address, words=words)
    app[DOOR], app[FEED], app[FOUNDING] = Door(), Feed(), Founding()
    app.on_shutdown.append(feed.close)
    app.router.add_get("/static/{name}", static_files.file)
    app.router.add_get("/entrar", page(entry.sign_in_form, None), name="entry")
    for method, path, handler, least in ROUTES:
        add = app.router.add_get if method == "GET" else app.router.add_post
        add(path, page(handler, least))
    parcel.setup(app)
    app.router.add_route("*", "/{anything:.*}", page(nowhere, None))
