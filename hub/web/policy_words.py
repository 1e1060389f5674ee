"""What a seller decides once: each group with what it does, its default and its fields. Tables only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hub.deadlines import STATES
from hub.drift import POLICIES
from hub.web.i18n import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that is decided. `blank`: what leaving it empty means; None: it may not be empty.

    `kind`: choice (of `options`), number (from `low` to `high`, whole or not), clock, text, check, or what is kept bare
    and checked: document (CPF or CNPJ), phone, cep.
    """

    name: str
    label: str
    kind: str = "choice"
    options: Mapping[str, str] = field(default_factory=dict)
    low: float = 0
    high: float = 0
    whole: bool = True
    unit: str = ""
    blank: str | None = None
    hint: str = ""
    translated: bool = True  # label and options are our words, not the seller's


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Decisions that are changed together."""

    key: str
    title: str
    effect: str
    default: str
    fields: tuple[Field, ...] = ()
    touches: tuple[str, ...] = ()  # sentences with %(count)s, in the order of the counts


YES_NO = {"yes": N_("sim"), "no": N_("não")}
SPLIT = {
    "units": N_("até dividir uma linha entre depósitos"),
    "line": N_("cada linha sai inteira de um depósito"),
    "order": N_("o pedido inteiro sai de um depósito"),
}
RULE = {
    "promise": N_("o mais barato que cumpre o prazo prometido"),
    "cheapest": N_("o mais barato"),
    "fastest": N_("o mais rápido"),
}
HANDLING = {
    "winsorised": N_("média com picos aparados"),
    "median": N_("mediana"),
    "mean": N_("média simples"),
}
AS_SELLER, AS_HUB = N_("como a loja"), N_("como este hub foi instalado")
DAYS = N_("dias")
RECOMPUTED = N_("SKUs cujo estoque nos canais é recalculado: %(count)s.")
ORDERS_AGAIN = N_("Pedidos pagos e ainda não despachados com o prazo recalculado: %(count)s.")
QUOTED_AGAIN = N_(
    "Pedidos pagos e ainda não despachados: %(count)s. As próximas cotações e etiquetas deles já usam isto; o que foi "
    "comprado fica como está."
)

SENDER = Group(
    key="remetente",
    title=N_("Remetente das etiquetas"),
    effect=N_(
        "Quem envia e de onde os volumes saem, como vai na etiqueta e na declaração de conteúdo. O frete é cotado a "
        "partir deste CEP."
    ),
    default=N_(
        "Padrão: o que foi dito ao criar a loja. Sem nome, CPF ou CNPJ e endereço, nenhuma etiqueta é comprada."
    ),
    fields=(
        Field(name="name", label=N_("Nome ou razão social"), kind="text", blank=""),
        Field(name="document", label=N_("CPF ou CNPJ"), kind="document", blank=""),
        Field(name="phone", label=N_("Telefone"), kind="phone", blank="",
              hint=N_("Com DDD; muitas transportadoras pedem.")),
        Field(name="postal_code", label=N_("CEP"), kind="cep", blank="", hint=N_("De onde o frete é cotado.")),
        Field(name="street", label=N_("Rua"), kind="text", blank=""),
        Field(name="number", label=N_("Número"), kind="text", blank=""),
        Field(name="complement", label=N_("Complemento"), kind="text", blank=""),
        Field(name="district", label=N_("Bairro"), kind="text", blank=""),
        Field(name="city", label=N_("Cidade"), kind="text", blank=""),
        Field(name="state", label=N_("Estado (UF)"), options={each: each for each in sorted(STATES)},
              blank=N_("nenhum dito"), translated=False),
    ),
    touches=(QUOTED_AGAIN,),
)  # fmt: skip
VOLUMES = Group(
    key="volumes",
    title=N_("Até quanto vai num volume"),
    effect=N_(
        "O hub reparte um pedido em volumes até estes limites, pelo peso e pelas medidas de cada SKU. Use os da "
        "transportadora mais apertada, ou os das suas caixas."
    ),
    default=N_("Padrão: 30.000 g, 1.000 mm no maior lado, 2.000 mm somando os três; a caixa vazia não pesa."),
    fields=(
        Field(name="most_g", label=N_("Peso máximo"), kind="number", low=1, high=1_000_000, unit="g",
              blank=N_("30.000 (padrão)")),
        Field(name="side_mm", label=N_("Maior lado"), kind="number", low=1, high=10_000, unit="mm",
              blank=N_("1.000 (padrão)")),
        Field(name="sum_mm", label=N_("Soma dos três lados"), kind="number", low=3, high=30_000, unit="mm",
              blank=N_("2.000 (padrão)")),
        Field(name="tare_g", label=N_("Peso da caixa vazia"), kind="number", low=0, high=100_000, unit="g",
              blank=N_("0 (padrão)")),
    ),
    touches=(QUOTED_AGAIN,),
)  # fmt: skip

SELLER: tuple[Group, ...] = (
    Group(
        key="divisao",
        title=N_("Divisão de pedidos entre depósitos"),
        effect=N_(
            "Até onde um pedido pode sair de mais de um depósito. Quanto menos se divide, menos fretes, e menor o "
            "estoque que os canais mostram quando as unidades estão espalhadas."
        ),
        default=N_("Padrão: até dividir uma linha entre depósitos."),
        fields=(Field(name="split", label=N_("Um pedido pode"), options=SPLIT),),
        touches=(RECOMPUTED,),
    ),
    Group(
        key="depositos",
        title=N_("Ordem dos depósitos"),
        effect=N_(
            "As vendas saem primeiro do depósito de menor número, quando ele tem tudo. Vale para pedidos novos."
        ),
        default=N_("Padrão: a ordem em que foram criados; regiões podem ter a sua: diga na página de cada depósito."),
    ),
    Group(
        key="envio",
        title=N_("Prazos e paciência com transportadoras"),
        effect=N_(
            "Que feriados e relógio valem para os prazos, quando um envio sem leitura é dado por parado ou "
            "extraviado, e quando os compradores não recebem e-mail. Um pedido fica em risco a 4 h e a 1 h do prazo "
            "de despacho."
        ),
        default=N_(
            "Padrão: parado com 5 dias, extraviado com 15, retirada em 7, página por 30, silêncio de 21:00 a 08:00."
        ),
        fields=(
            Field(name="state", label=N_("Estado de onde a loja despacha"), blank=N_("o do primeiro depósito"),
                  options={each: each for each in sorted(STATES)}, translated=False),
            Field(name="stuck_days", label=N_("Sem leitura: parado depois de"), kind="number", low=1, high=90,
                  unit=DAYS),
            Field(name="loss_days", label=N_("Sem leitura: provável extravio depois de"), kind="number", low=2, high=90,
                  unit=DAYS),
            Field(name="pickup_days", label=N_("Guarda na unidade, se a transportadora não diz"), kind="number", low=1,
                  high=60, unit=DAYS),
            Field(name="link_days", label=N_("Página do comprador no ar depois da entrega"), kind="number", low=1,
                  high=365, unit=DAYS),
            Field(name="quiet_from", label=N_("E-mails a compradores: silêncio a partir de"), kind="clock",
                  hint=N_("As duas horas iguais: sem silêncio.")),
            Field(name="quiet_to", label=N_("Silêncio até"), kind="clock"),
        ),
        touches=(ORDERS_AGAIN, N_("Envios a caminho olhados de novo: %(count)s.")),
    ),
    Group(
        key="frete",
        title=N_("Escolha do frete"),
        effect=N_(
            "Qual cotação o hub compra quando ninguém escolhe, e se um pedido sem NF-e pode sair com declaração de "
            "conteúdo. Uma conta pode ter a sua."
        ),
        default=N_("Padrão: o mais barato que cumpre o prazo; declaração só quando o remetente é pessoa física."),
        fields=(
            Field(name="rule", label=N_("Comprar"), options=RULE, blank=RULE["promise"]),
            Field(name="declares", label=N_("Pedido sem NF-e pode sair"), options=YES_NO,
                  blank=N_("só se o remetente é pessoa física")),
        ),
    ),
    SENDER,
    VOLUMES,
    Group(
        key="freio",
        title=N_("Freio de zeros"),
        effect=N_(
            "Se importação, vínculo, contagem ou conferência fosse zerar mais do que esta parte dos anúncios de uma "
            "conta (ou dos saldos de um arquivo), o hub para e pergunta. Zeros que vêm de vendas saem sempre."
        ),
        default=N_("Padrão: 30%."),
        fields=(
            Field(name="share", label=N_("Parar acima de"), kind="number", low=5, high=100, unit=N_("% dos anúncios"),
                  blank=AS_HUB),
        ),
    ),
    Group(
        key="reposicao",
        title=N_("Reposição"),
        effect=N_(
            "O que vale para cada SKU que não tem regra própria: com isto o hub calcula ponto de pedido, segurança e "
            "quanto comprar."
        ),
        default=N_("Padrão: 95% dos ciclos sem ruptura, 14 dias de prazo, compra a cada 7 dias, 90 dias de vendas."),
        fields=(
            Field(name="service_level", label=N_("Ciclos sem ruptura"), kind="number", low=50, high=99.9, whole=False,
                  unit="%"),
            Field(name="lead_time_days", label=N_("Prazo do fornecedor, se ninguém diz melhor"), kind="number", low=0,
                  high=730, whole=False, unit=DAYS),
            Field(name="review_days", label=N_("Comprar a cada"), kind="number", low=0, high=365, unit=DAYS),
            Field(name="window_days", label=N_("Ler as vendas dos últimos"), kind="number", low=14, high=365,
                  unit=DAYS),
            Field(name="handling", label=N_("Demanda diária"), options=HANDLING),
            Field(name="returns_reduce", label=N_("Devoluções reduzem a demanda"), options=YES_NO),
        ),
        touches=(N_("SKUs planejados de novo na próxima volta: %(count)s."),),
    ),
)  # fmt: skip

FROM = {"placed": N_("ao ser feito"), "paid": N_("ao ser pago")}
DRIFT = {
    "lost_push": N_("O canal perdeu a nossa escrita"),
    "external_edit_up": N_("Alguém aumentou o número no canal"),
    "external_edit_down": N_("Alguém baixou o número no canal"),
    "wrong_link": N_("O anúncio diz outro SKU"),
    "unmanaged": N_("O canal não conta mais o estoque do anúncio"),
    "paused": N_("Anúncio pausado com outro número"),
    "gone": N_("Anúncio que sumiu do canal"),
}
POLICY = {"repair": N_("consertar sozinho"), "propose": N_("propor e esperar"), "ignore": N_("deixar como está")}

ACCOUNT: tuple[Group, ...] = (
    Group(
        key="reserva",
        title=N_("Quando um pedido reserva estoque"),
        effect=N_(
            "A partir de quando as unidades de um pedido saem da venda nos outros canais, e por quanto tempo um "
            "pedido sem pagamento as segura. Vencida a espera, voltam à venda; pago depois, o pedido pega de novo."
        ),
        default=N_("Padrão: como este hub foi instalado (ao ser feito), sem prazo."),
        fields=(
            Field(name="since", label=N_("Reserva"), options=FROM, blank=AS_HUB),
            Field(name="hours", label=N_("Sem pagamento, solta depois de"), kind="number", low=0, high=8760,
                  unit=N_("horas"), blank=N_("sem prazo: até o canal dizer"), hint=N_("0 ou vazio: sem prazo.")),
        ),
        touches=(N_("Pedidos não pagos recalculados agora, com as reservas deles: %(count)s."),),
    ),
    Group(
        key="despacho",
        title=N_("Prazo de despacho"),
        effect=N_(
            "Até quando um pedido desta conta sai, onde o canal não diz. Pago até o corte de um dia útil, aquele é o "
            "dia 0."
        ),
        default=N_("Padrão: nenhum; só o que o canal diz."),
        fields=(
            Field(name="handling_days", label=N_("Dias úteis até sair"), kind="number", low=0, high=60, unit=DAYS,
                  blank=N_("só o que o canal diz")),
            Field(name="cutoff", label=N_("Corte do dia"), kind="clock"),
            Field(name="leaves_at", label=N_("As encomendas saem às"), kind="clock"),
        ),
        touches=(ORDERS_AGAIN,),
    ),
    Group(
        key="conferencia",
        title=N_("Diferenças encontradas na conferência"),
        effect=N_(
            "O que o hub faz quando o canal mostra outra coisa do que ele calculou. Propostas esperam por você em "
            "Conferência."
        ),
        default=N_("Padrão: números são consertados, vínculos e anúncios sem controle são propostos."),
        fields=tuple(
            Field(name=name, label=DRIFT[name], options={each.value: POLICY[each] for each in allowed})
            for name, allowed in POLICIES.items()
        ),
    ),
    Group(
        key="estoque",
        title=N_("De onde sai o que esta conta vende"),
        effect=N_(
            "De que depósitos esta conta vende, e até onde os pedidos dela se dividem. O que já está reservado fica "
            "onde está."
        ),
        default=N_("Padrão: todos os depósitos próprios, divisão como a loja."),
        fields=(Field(name="split", label=N_("Um pedido pode"), options=SPLIT, blank=AS_SELLER),),
        touches=(RECOMPUTED,),
    ),
    Group(
        key="email",
        title=N_("E-mail a compradores"),
        effect=N_(
            "O hub escreve ao comprador no despacho, na saída para entrega, na espera por retirada e na entrega, uma "
            "vez cada. Só o que acontecer depois de ligar."
        ),
        default=N_("Padrão: desligado; muitos canais já escrevem."),
        fields=(
            Field(name="on", label=N_("Escrever aos compradores desta conta"), options=YES_NO),
            Field(name="relays", label=N_("Também a endereços que o marketplace encaminha"), options=YES_NO),
            Field(name="locale", label=N_("Idioma"), options={"pt_BR": "Português", "en": "English"}, translated=False),
            Field(name="reply_to", label=N_("Respostas vão para"), kind="text", blank=N_("nenhum endereço próprio")),
        ),
    ),
    Group(
        key="frete",
        title=N_("Escolha do frete desta conta"),
        effect=N_("Qual cotação o hub compra para os pedidos desta conta."),
        default=N_("Padrão: como a loja."),
        fields=(
            Field(name="rule", label=N_("Comprar"), options=RULE, blank=AS_SELLER),
            Field(name="declares", label=N_("Pedido sem NF-e pode sair"), options=YES_NO, blank=AS_SELLER),
        ),
    ),
    replace(SENDER, default=N_("Padrão: vazio, o da loja.")),
    replace(
        VOLUMES, default=N_("Padrão: vazio, como a loja."),
        fields=tuple(replace(each, blank=AS_SELLER) for each in VOLUMES.fields),
    ),
)  # fmt: skip

PROBLEM = {
    "choice": N_("Escolha uma das opções."),
    "number": N_("Escreva um número de %(low)s a %(high)s."),
    "whole": N_("Escreva um número inteiro de %(low)s a %(high)s."),
    "clock": N_("Escreva uma hora, como 14:00."),
    "text": N_("Longo demais."),
    "document": N_("Não é um CPF ou CNPJ válido: confira os dígitos."),
    "phone": N_("Não é um telefone: escreva com DDD, como (11) 91234-5678."),
    "cep": N_("Não é um CEP: escreva os oito números, como 01310-100."),
    "cep_state": N_("Este CEP é de outro estado: confira os dois."),
    "sender": N_("Falta preencher: a etiqueta precisa disto."),
    "sides": N_("A soma dos três lados não pode ser menor que o maior lado."),
    "email": N_("Não é um e-mail: escreva como nome@loja.com.br."),
    "loss": N_("O provável extravio precisa vir depois do parado."),
    "cutoff": N_("No mesmo dia, o corte precisa vir antes da saída das encomendas."),
    "draws": N_("Escolha ao menos um depósito."),
    "smtp": N_("Este hub não envia e-mail: quem o instalou precisa definir BALCAO_SMTP_URL e BALCAO_MAIL_FROM."),
}
MAIL_EVENT = {
    "dispatched": N_("Enviado"),
    "out_for_delivery": N_("Saiu para entrega"),
    "awaiting_pickup": N_("Aguarda retirada"),
    "delivered": N_("Entregue"),
}
