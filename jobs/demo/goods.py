"""What the demonstration sells: a shop for the kitchen and the table."""

from dataclasses import dataclass

from hub.model import Address, Party
from hub.sandbox import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A product. `units`: in the first warehouse and in the second; `grams` and `sides` (mm) as it is packed."""

    sku: str
    title: str
    cents: int
    units: tuple[int, int]
    grams: int = 600
    sides: tuple[int, int, int] = (140, 120, 120)


def _good(sku: str, title: str, cents: int, units: tuple[int, int], grams: int, sides: tuple[int, int, int]) -> Good:
    return Good(sku=sku, title=title, cents=cents, units=units, grams=grams, sides=sides)


MUG, PLATE, LARGE = (130, 110, 110), (280, 280, 60), (360, 260, 180)
GOODS = (
    _good("CAN-AZ-300", "Caneca de porcelana azul 300 ml", 3990, (34, 12), 420, MUG),
    _good("CAN-BR-300", "Caneca de porcelana branca 300 ml", 3490, (41, 20), 420, MUG),
    _good("CAN-ESM-500", "Caneca esmaltada verde 500 ml", 4290, (22, 0), 310, MUG),
    _good("XIC-CAF-6", "Xícaras de café com pires, jogo de 6", 12990, (14, 6), 1900, LARGE),
    _good("PRA-RAS-26", "Prato raso branco 26 cm", 2590, (60, 30), 700, PLATE),
    _good("PRA-FUN-22", "Prato fundo branco 22 cm", 2390, (48, 24), 640, PLATE),
    _good("PRA-SOB-19", "Prato de sobremesa terracota 19 cm", 1990, (36, 0), 420, PLATE),
    _good("TIG-MAD-25", "Tigela de madeira teca 25 cm", 8990, (11, 4), 900, (260, 260, 110)),
    _good("TIG-CER-15", "Tigela de cerâmica areia 15 cm", 3290, (27, 10), 520, (160, 160, 80)),
    _good("COP-VID-6", "Copos de vidro canelado 300 ml, jogo de 6", 6990, (19, 8), 2100, LARGE),
    _good("TAC-VIN-4", "Taças de vinho 450 ml, jogo de 4", 11990, (9, 3), 1500, LARGE),
    _good("JAR-VID-15", "Jarra de vidro com tampa 1,5 l", 7990, (13, 5), 1100, (150, 150, 280)),
    _good("GAR-TER-1L", "Garrafa térmica inox 1 l", 14990, (16, 4), 780, (110, 110, 330)),
    _good("BUL-FER-12", "Bule de ferro fundido 1,2 l", 18990, (1, 0), 1900, (220, 190, 160)),
    _good("FRI-FER-24", "Frigideira de ferro 24 cm", 15990, (12, 5), 2300, (420, 260, 70)),
    _good("PAN-INO-20", "Panela de inox fundo triplo 20 cm", 21990, (8, 3), 1850, (380, 230, 160)),
    _good("FAC-CHE-8", "Faca do chef 8 polegadas", 12490, (18, 6), 260, (360, 70, 30)),
    _good("TAB-BAM-40", "Tábua de bambu com canaleta 40 cm", 6490, (21, 9), 1300, (410, 290, 30)),
    _good("TAL-INO-24", "Talheres de inox, 24 peças", 17990, (10, 4), 1600, (300, 240, 60)),
    _good("POT-HER-3", "Potes herméticos, jogo de 3", 5990, (25, 12), 820, LARGE),
    _good("TOA-LIN-2M", "Toalha de mesa de linho 2 m", 13990, (7, 2), 700, (320, 260, 50)),
    _good("JOG-AME-4", "Jogo americano de algodão, 4 peças", 4990, (30, 10), 450, (340, 240, 40)),
    _good("AVE-ALG", "Avental de algodão cru", 6990, (15, 5), 380, (300, 220, 30)),
    _good("VEL-SOJ-200", "Vela de cera de soja 200 g", 4590, (3, 0), 420, (90, 90, 100)),
)
KITS = {
    "KIT-CAFE": ("Kit café da manhã: 2 canecas azuis e jarra", 14990, {"CAN-AZ-300": 2, "JAR-VID-15": 1}),
    "KIT-MESA-4": ("Kit mesa posta para 4: pratos rasos e fundos", 18490, {"PRA-RAS-26": 4, "PRA-FUN-22": 4}),
}
LAST_ONE = "BUL-FER-12"  # two buyers want it at once
EDITED = "TOA-LIN-2M"  # somebody changes its number at the channel
UNLINKED = Product(sku="BRINDE-IMA", title="Ímã de geladeira (brinde avulso)", quantity=40, price_cents=990)
SUPPLIER, BOUGHT = "Porcelanas Campo Largo", {"BUL-FER-12": (6, 9800), "VEL-SOJ-200": (24, 1750)}
SENDER = Party(
    name="Loja de demonstração", document="11222333000181", phone="+551133334444", email="demo@loja.example",
    address=Address(
        recipient="Loja de demonstração", street="Rua das Laranjeiras", number="100", district="Centro",
        city="São Paulo", state="SP", postal_code="01310100", country="BR",
    ),
)  # fmt: skip


def products(*extra: Product) -> list[Product]:
    """Everything, as a channel is seeded with it."""
    plain = [Product(sku=g.sku, title=g.title, quantity=sum(g.units), price_cents=g.cents) for g in GOODS]
    kits = [
        Product(sku=sku, title=title, quantity=available(parts), price_cents=cents)
        for sku, (title, cents, parts) in KITS.items()
    ]
    return [*plain, *kits, *extra]


def available(parts: dict[str, int]) -> int:
    """How many kits of these parts can be sold: the scarcest part of each warehouse."""
    units = {good.sku: good.units for good in GOODS}
    return sum(min(units[part][place] // each for part, each in parts.items()) for place in (0, 1))
