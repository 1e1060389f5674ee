"""What linking says on its pages: tables only."""

from hub.web.i18n import N_

LIKELY = {
    "exact": N_("Certos"),
    "one": N_("Uma sugestão"),
    "several": N_("Várias sugestões"),
    "none": N_("Sem sugestão"),
}
EXACT = {
    "sku": N_("o código no canal é o do SKU"),
    "gtin": N_("o GTIN é deste SKU, e só dele"),
}
# What is there twice: its name, what it means, the way out, and where the pages of its places begin.
DOUBLE = {
    "code_case": (
        N_("Maiúsculas e minúsculas"),
        N_("SKUs com o mesmo código, escrito em maiúsculas e minúsculas diferentes."),
        N_("Fique com um dos SKUs: vincule a ele os anúncios do outro."),
        "/skus/",
    ),
    "gtin": (
        N_("GTIN em dois SKUs"),
        N_("O mesmo GTIN em mais de um SKU: nenhum anúncio é vinculado por ele, para não escolher o errado."),
        N_("Deixe o GTIN só no SKU a que ele pertence; apague-o nos outros."),
        "/skus/",
    ),
    "slot": (
        N_("Um estoque, dois códigos"),
        N_("Anúncios que dividem um só estoque no canal e dizem códigos diferentes: o hub escreve um número só."),
        N_("Vincule todos ao mesmo SKU, ou separe o estoque deles no canal."),
        "/anuncios/",
    ),
    "listing": (
        N_("Código em dois anúncios"),
        N_("O mesmo código em mais de um anúncio da mesma conta: são vinculados ao mesmo SKU e dividem as unidades."),
        N_("Se são o mesmo produto, está certo; se não, corrija o código no canal e vincule de novo."),
        "/anuncios/",
    ),
}
KIND = {
    "link": N_("Vinculam"),
    "relink": N_("Mudam de SKU"),
    "unlink": N_("Desvinculam"),
    "same": N_("Ficam como estão"),
}
DOES = {  # one line of it
    "link": N_("vincula"),
    "relink": N_("muda de SKU"),
    "unlink": N_("desvincula"),
}
FILE = (  # the sheet's columns, as hub.link_sheet.COLUMNS orders them and reads them again
    N_("conta"), N_("anúncio"), N_("variação"), N_("título"), N_("SKU no canal (não editar)"), N_("GTIN"), N_("SKU"),
    N_("unidades por venda"), N_("SKU sugerido"), N_("multiplicador sugerido"), N_("pontos"), N_("por quê"),
    N_("aceitar"),
)  # fmt: skip
