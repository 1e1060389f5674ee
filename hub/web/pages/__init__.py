"""The seller's pages: which address is answered by what, and the role that it asks for."""

import re
from collections.abc import Collection
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from hub.web import feed, static_files, sync_words, words
from hub.web.auth import Door
from hub.web.beginning import FOUNDING, Founding
from hub.web.edge import DOOR, Handler, Visit, nowhere, page
from hub.web.feed import FEED, Feed
from hub.web.keys import SHELF
from hub.web.pages import (
    accounts,
    alerts,
    api_keys,
    audit,
    audit_log,
    buffers,
    buyer_mail,
    channel_labels,
    connecting,
    consents,
    deadlines,
    demo,
    depots,
    doubles,
    entry,
    events,
    first_run,
    founding,
    health,
    labels,
    labels_buy,
    letters,
    link_file,
    linking,
    listing,
    listings,
    movements,
    notices,
    order,
    orders,
    panel,
    parcel,
    picking,
    policies,
    previews,
    processes,
    purchases,
    reconnecting,
    restock,
    security,
    settings,
    shipments,
    shortages,
    skus,
    stock,
    stock_import,
    stocktake,
    stranded,
    sync,
    transfers,
)
from jobs.link_desk import Shelf

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
    ("POST", "/demonstracao", demo.open_, "manager"),
    ("POST", "/demonstracao/jogar-fora", demo.throw_away, "owner"),
    ("GET", "/ao-vivo", feed.stream, "member"),
    ("GET", "/contas", accounts.every, "viewer"),
    ("GET", "/contas/nova", connecting.form, "manager"),
    ("POST", "/contas/nova", connecting.connect_account, "manager"),
    ("POST", "/contas/autorizar", consents.start, "manager"),
    ("GET", "/contas/retorno/{channel}", consents.back, "manager"),
    ("GET", "/contas/{id}", accounts.one, "viewer"),
    ("GET", "/contas/{id}/religar", reconnecting.form, "manager"),
    ("POST", "/contas/{id}/religar", reconnecting.again, "manager"),
    ("POST", "/contas/{id}/autorizar", consents.start_again, "manager"),
    ("POST", "/contas/{id}/nome", reconnecting.rename, "manager"),
    ("POST", "/contas/{id}/avisos", reconnecting.register, "manager"),
    ("GET", "/contas/{id}/desligar", reconnecting.ask_end, "manager"),
    ("POST", "/contas/{id}/desligar", reconnecting.end, "manager"),
    ("GET", "/contas/{id}/abertos", stranded.every, "viewer"),
    ("POST", "/contas/{id}/abertos", stranded.settle, "manager"),
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
    ("POST", "/pedidos/{id}/reabrir", stranded.reopen, "manager"),
    ("GET", "/pedidos/{id}/documentos/{what}", order.document, "manager"),
    ("GET", "/pedidos/{id}/alocacao", order.allocation, "viewer"),
    ("POST", "/pedidos/{id}/alocacao", order.place, "operator"),
    ("GET", "/prazos", deadlines.every, "member"),
    ("GET", "/separacao", picking.every, "member"),
    ("GET", "/separacao/lista", picking.paper, "member"),
    ("POST", "/separacao/lista", picking.paper_of_chosen, "warehouse"),
    ("POST", "/separacao/embalar", picking.pack, "warehouse"),
    ("POST", "/separacao/desfazer", picking.unpack, "warehouse"),
    ("GET", "/separacao/conferir", picking.find, "warehouse"),
    ("GET", "/separacao/conferir/{id}", picking.check, "warehouse"),
    ("POST", "/separacao/conferir/{id}", picking.read, "warehouse"),
    ("GET", "/anuncios", listings.every, "member"),
    ("GET", "/anuncios/planilha.csv", listings.sheet, "member"),
    ("GET", "/anuncios/ligar", linking.every, "viewer"),
    ("GET", "/anuncios/repetidos", doubles.every, "viewer"),
    ("POST", "/anuncios/ligar/um", linking.accept, "operator"),
    ("POST", "/anuncios/ligar/previa", linking.preview, "operator"),
    ("POST", "/anuncios/ligar/gravar", linking.link_several, "operator"),
    ("GET", "/anuncios/ligar/planilha.csv", link_file.sheet, "viewer"),
    ("POST", "/anuncios/ligar/arquivo", link_file.look, "operator"),
    ("POST", "/anuncios/ligar/arquivo/gravar", link_file.write, "operator"),
    ("GET", "/anuncios/{id}", listing.one, "member"),
    ("GET", "/anuncios/{id}/ligar", linking.one, "operator"),
    ("POST", "/anuncios/{id}/ligar", linking.link_one, "operator"),
    ("POST", "/anuncios/{id}/desligar", linking.unlink, "operator"),
    ("POST", "/anuncios/{id}/sku", linking.new_sku, "operator"),
    ("POST", "/anuncios/{id}/tentar", listing.try_again, "operator"),
    ("POST", "/anuncios/{id}/soltar", listing.release, "manager"),
    ("GET", "/estoque", skus.every, "member"),
    ("GET", "/estoque/planilha.csv", skus.sheet, "member"),
    ("GET", "/estoque/novo", skus.new_form, "operator"),
    ("POST", "/estoque/novo", skus.create, "operator"),
    ("GET", "/estoque/movimentos", movements.every, "member"),
    ("GET", "/estoque/movimentos.csv", movements.sheet, "member"),
    ("GET", "/estoque/importar", stock_import.every, "operator"),
    ("POST", "/estoque/importar", stock_import.upload, "operator"),
    ("GET", "/estoque/importar/previa/{id}", stock_import.preview, "operator"),
    ("POST", "/estoque/importar/previa/{id}/confirmar", stock_import.confirm, "operator"),
    ("POST", "/estoque/importar/previa/{id}/descartar", stock_import.discard, "operator"),
    ("POST", "/estoque/importar/skus/{number:[0-9]{1,9}}/desfazer", stock_import.undo_facts, "operator"),
    ("GET", "/estoque/importar/{number:[0-9]{1,9}}", stock_import.one, "operator"),
    ("POST", "/estoque/importar/{number:[0-9]{1,9}}/continuar", stock_import.resume, "operator"),
    ("POST", "/estoque/importar/{number:[0-9]{1,9}}/desfazer", stock_import.undo, "operator"),
    ("GET", "/estoque/{sku:.+}", stock.why, "member"),
    ("GET", "/skus/{id}", stock.by_id, "member"),
    ("POST", "/skus/{id}/dados", stock.edit, "operator"),
    ("POST", "/skus/{id}/ajustar", stock.adjust, "warehouse"),
    ("POST", "/skus/{id}/kit", stock.set_kit, "operator"),
    ("POST", "/skus/{id}/kit/desfazer", stock.unset_kit, "operator"),
    ("GET", "/depositos", depots.every, "member"),
    ("POST", "/depositos", depots.add, "manager"),
    ("GET", "/depositos/previa", depots.preview, "member"),
    ("POST", "/depositos/contas/{id}", depots.draw, "manager"),
    ("GET", "/depositos/{id}", depots.one, "member"),
    ("POST", "/depositos/{id}", depots.edit, "manager"),
    ("POST", "/depositos/{id}/areas", depots.cover, "manager"),
    ("POST", "/depositos/{id}/fechar", depots.close, "manager"),
    ("GET", "/transferencias", transfers.every, "member"),
    ("POST", "/transferencias", transfers.create, "warehouse"),
    ("GET", "/transferencias/nova", transfers.new_form, "warehouse"),
    ("GET", "/transferencias/{number:[0-9]{1,9}}", transfers.one, "member"),
    ("POST", "/transferencias/{number:[0-9]{1,9}}/enviar", transfers.send, "warehouse"),
    ("POST", "/transferencias/{number:[0-9]{1,9}}/receber", transfers.receive, "warehouse"),
    ("POST", "/transferencias/{number:[0-9]{1,9}}/cancelar", transfers.cancel, "warehouse"),
    ("GET", "/inventario", stocktake.every, "member"),
    ("POST", "/inventario", stocktake.begin, "warehouse"),
    ("GET", "/inventario/{number:[0-9]{1,9}}", stocktake.one, "member"),
    ("POST", "/inventario/{number:[0-9]{1,9}}/anotar", stocktake.note, "warehouse"),
    ("POST", "/inventario/{number:[0-9]{1,9}}/arquivo", stocktake.file, "warehouse"),
    ("GET", "/inventario/{number:[0-9]{1,9}}/planilha.csv", stocktake.sheet, "member"),
    ("GET", "/inventario/{number:[0-9]{1,9}}/diferencas", stocktake.report, "member"),
    ("POST", "/inventario/{number:[0-9]{1,9}}/lancar", stocktake.post, "warehouse"),
    ("POST", "/inventario/{number:[0-9]{1,9}}/cancelar", stocktake.cancel, "warehouse"),
    ("GET", "/envios", shipments.every, "member"),
    ("GET", "/etiquetas", channel_labels.every, "member"),
    ("POST", "/etiquetas/canal/imprimir", channel_labels.print_, "warehouse"),
    ("POST", "/etiquetas/cotar", labels.quote, "operator"),
    ("POST", "/etiquetas/comprar", labels_buy.look, "operator"),
    ("POST", "/etiquetas/comprar/confirmar", labels_buy.buy, "operator"),
    ("POST", "/etiquetas/imprimir", labels.print_, "warehouse"),
    ("GET", "/etiquetas/impressao/{id}", labels.progress, "warehouse"),
    ("GET", "/etiquetas/impressao/{id}/etiquetas.pdf", labels.file, "warehouse"),
    ("POST", "/etiquetas/romaneio", labels.sign, "warehouse"),
    ("GET", "/etiquetas/romaneio/{id}/{kind:pdf|csv}", labels.manifest, "member"),
    ("POST", "/etiquetas/{id}/cancelar", labels.cancel, "operator"),
    ("GET", "/conferencia", audit.every, "viewer"),
    ("POST", "/conferencia/aceitar", audit.accept_several, "operator"),
    ("POST", "/conferencia/dispensar", audit.dismiss_several, "operator"),
    ("GET", "/conferencia/regras", audit.rules, "viewer"),
    ("POST", "/conferencia/regras/{id}", audit.set_rules, "manager"),
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
    ("POST", "/sincronizacao/parados/{id}/seguir", letters.follow_by, "operator"),
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
    ("GET", "/configuracoes/margens", buffers.every, "manager"),
    ("POST", "/configuracoes/margens", buffers.keep, "manager"),
    ("POST", "/configuracoes/margens/previa", buffers.preview, "manager"),
    ("POST", "/configuracoes/margens/{id}/remover", buffers.remove, "manager"),
    ("GET", "/configuracoes/politicas", policies.every, "viewer"),
    ("GET", "/configuracoes/politicas/mensagens", buyer_mail.show, "viewer"),
    ("POST", "/configuracoes/politicas/mensagens", buyer_mail.save, "manager"),
    ("POST", "/configuracoes/politicas/{group}", policies.change, "manager"),
    ("GET", "/contas/{id}/regras", policies.of_account, "viewer"),
    ("POST", "/contas/{id}/regras/{group}", policies.change_account, "manager"),
    ("GET", "/configuracoes/avisos", notices.every, "viewer"),
    ("GET", "/configuracoes/avisos/novo/{format}", notices.new, "viewer"),
    ("POST", "/configuracoes/avisos/novo/{format}", notices.add, "viewer"),
    ("GET", "/configuracoes/avisos/{id}", notices.one, "viewer"),
    ("POST", "/configuracoes/avisos/{id}", notices.save, "viewer"),
    ("POST", "/configuracoes/avisos/{id}/testar", notices.test, "viewer"),
    ("POST", "/configuracoes/avisos/{id}/ligar", notices.turn_on, "viewer"),
    ("POST", "/configuracoes/avisos/{id}/desligar", notices.turn_off, "viewer"),
    ("POST", "/configuracoes/avisos/{id}/remover", notices.drop, "viewer"),
    ("GET", "/configuracoes/chaves", api_keys.every, "manager"),
    ("POST", "/configuracoes/chaves", api_keys.add, "manager"),
    ("POST", "/configuracoes/chaves/{id}/revogar", api_keys.revoke, "manager"),
    ("GET", "/configuracoes/eventos", events.every, "manager"),
    ("POST", "/configuracoes/eventos", events.add, "manager"),
    ("GET", "/configuracoes/eventos/{id}", events.one, "manager"),
    ("POST", "/configuracoes/eventos/{id}", events.edit, "manager"),
    ("POST", "/configuracoes/eventos/{id}/desligar", events.turn_off, "manager"),
    ("POST", "/configuracoes/eventos/{id}/ligar", events.turn_on, "manager"),
    ("POST", "/configuracoes/eventos/{id}/segredo", events.rotate, "manager"),
    ("POST", "/configuracoes/eventos/{id}/remover", events.remove, "manager"),
    ("POST", "/configuracoes/eventos/{id}/testar", events.test, "manager"),
    ("POST", "/configuracoes/eventos/{id}/reenviar", events.replay_failed, "manager"),
    ("GET", "/configuracoes/eventos/{id}/entregas/{delivery}", events.delivery, "manager"),
    ("POST", "/configuracoes/eventos/{id}/entregas/{delivery}/reenviar", events.replay, "manager"),
    ("GET", "/configuracoes/registro", audit_log.every, "manager"),
    ("GET", "/configuracoes/registro.csv", audit_log.sheet, "manager"),
)


def led_up() -> dict[str, str]:
    """Addresses that only take forms, each with the nearest page above it: Enter in the address bar leads there."""
    shown = {_shape(path) for method, path, _handler, _least in ROUTES if method == "GET"}
    forms = dict.fromkeys(path for method, path, _handler, _least in ROUTES if method == "POST")
    return {path: _nearest(path, shown) for path in forms if _shape(path) not in shown}


PART = r"\{(?:[^{}]|\{[^}]*\})*\}"  # of an address: a name, and maybe what it must look like


def _shape(path: str) -> str:
    return re.sub(PART, "{}", path)


def _nearest(path: str, shown: Collection[str]) -> str:
    above = path.rpartition("/")[0]
    while above and _shape(above) not in shown:
        above = above.rpartition("/")[0]
    return above or "/"


def _up(steps: int) -> Handler:
    async def lead(visit: Visit) -> web.Response:
        return visit.go(visit.request.rel_url.raw_path.rsplit("/", steps)[0] or "/")

    return lead


def setup(app: web.Application) -> None:
    """Add the pages to the application. Each route carries its own guard: webhooks pay for none of it."""
    env = aiohttp_jinja2.setup(
        app, loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    env.globals.update(static=static_files.address, words=words, plain=sync_words.plain)
    app[DOOR], app[FEED], app[FOUNDING], app[SHELF] = Door(), Feed(), Founding(), Shelf()
    app.on_shutdown.append(feed.close)
    app.router.add_get("/static/{name}", static_files.file)
    app.router.add_get("/entrar", page(entry.sign_in_form, None), name="entry")
    for method, path, handler, least in ROUTES:
        add = app.router.add_get if method == "GET" else app.router.add_post
        add(path, page(handler, least))
    for path, above in led_up().items():
        app.router.add_get(path, page(_up(path.count("/") - above.rstrip("/").count("/")), None))
    parcel.setup(app)
    app.router.add_route("*", "/{anything:.*}", page(nowhere, None))
