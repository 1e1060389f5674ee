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
