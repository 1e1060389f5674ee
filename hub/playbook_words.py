"""Titles and steps of the playbooks that come with the hub: (pt-BR, en) by kind of alert; steps are Markdown."""

TITLES: dict[str, tuple[str, str]] = {
    "account_held": ("Conta suspensa pelo canal", "Account held by its channel"),
    "zero_brake": ("Freio de zeros acionado", "Zero brake pulled"),
    "shortage": ("Vendido e em falta", "Sold and short"),
    "line_unlinked": ("Venda de anúncio sem SKU", "Sale of a listing without a SKU"),
    "fulfiller_unknown": ("Não se sabe quem envia", "Nobody says who ships"),
    "slot_parked": ("Canal recusou o estoque", "Channel refused a stock number"),
    "inbox_parked": ("Aviso que não conseguimos tratar", "Notice that could not be handled"),
    "link_refused": ("Vínculo recusado", "Link refused"),
    "origin_unnamed": ("Origem de pedidos sem nome", "Origin of orders not named"),
    "shipment_untold": ("Canal não aceitou a notícia do envio", "Channel did not take news of a shipment"),
    "tracking_code_unknown": ("Código de rastreio desconhecido", "Unknown tracking code"),
    "parcel_exception": ("Envio com problema", "Parcel in trouble"),
    "parcel_late": ("Envio atrasado", "Parcel late"),
    "parcel_stuck": ("Envio parado", "Parcel stuck"),
    "parcel_lost": ("Provável extravio", "Parcel probably lost"),
    "parcel_pickup": ("Aguarda retirada", "Waiting to be picked up"),
    "parcel_pickup_last": ("Últimos dias para retirar", "Last days to pick up"),
    "parcel_returned": ("Envio devolvido", "Parcel returned"),
    "parcel_not_found": ("Transportadora não conhece o envio", "Carrier does not know the parcel"),
    "parcel_ambiguous": ("Não se sabe que transportadora leva", "Which carrier has it is not clear"),
    "parcel_unreadable": ("Resposta da transportadora ilegível", "Carrier's answer cannot be read"),
    "ship_by_4h": ("Despachar em menos de 4 horas", "Ship within 4 hours"),
    "ship_by_1h": ("Despachar em menos de 1 hora", "Ship within 1 hour"),
    "ship_late": ("Despacho atrasado", "Dispatch late"),
    "drift_many": ("Muitas diferenças numa conta", "Many differences in one account"),
    "drift_gone": ("Anúncios sumiram de uma vez", "Listings gone all at once"),
    "drift_proposed": ("Diferenças a decidir", "Differences to decide"),
    "invariant_broken": ("Números que não fecham", "Numbers that do not add up"),
    "low_stock": ("Hora de comprar", "Time to buy"),
    "mail_down": ("E-mail a compradores parado", "E-mail to buyers is down"),
    "mail_doubt": ("E-mail em dúvida", "E-mail in doubt"),
    "notice_down": ("Avisos a alguém não saem", "Somebody is told of nothing"),
    "endpoint_disabled": ("Destino de eventos desligado", "Endpoint for events disabled"),
    "label_doubt": ("Compra de etiqueta em dúvida", "Label purchase in doubt"),
    "label_cancelled_told": ("Etiqueta cancelada depois da notícia", "Label cancelled after news"),
}

STEPS: dict[str, tuple[str, str]] = {
    "other": (
        """\
1. Leia o alerta e abra a página que ele indica.
2. Resolva a causa, ou passe a quem pode.
3. Encerre com uma nota do que foi feito.""",
        """\
1. Read the alert and open the page it points to.
2. Mend the cause, or hand it to who can.
3. Close with a note of what was done.""",
    ),
    "account_held": (
        """\
Enquanto a conta estiver suspensa, **nenhum estoque é escrito nela**: o trabalho fica guardado.

1. Abra a conta e leia o motivo que o canal deu.
2. Confira no painel do canal se a aplicação foi revogada ou a senha mudou.
3. Renove as credenciais e use *Verificar a ligação*.
4. Retome a conta e veja se a fila de escritas desce.""",
        """\
While the account is held, **no stock is written there**: its work is kept.

1. Open the account and read the channel's reason.
2. Look on the channel's site whether the app was revoked or a password changed.
3. Renew the credentials and use *Check the connection*.
4. Resume the account and see its queue of writes go down.""",
    ),
    "zero_brake": (
        """\
Muitos anúncios iriam a zero de uma vez, e não por vendas.

1. Abra a conta e veja quais anúncios o freio segurou.
2. Procure a causa: importação, contagem ou vínculo errado.
3. Se os zeros estiverem errados, corrija a contagem.
4. Quando os números estiverem certos, retome a conta.""",
        """\
Many listings would have gone to zero at once, and not because of sales.

1. Open the account and see which listings the brake held.
2. Find the cause: an import, a count or a wrong link.
3. If the zeros are wrong, correct the count.
4. Once the numbers are right, resume the account.""",
    ),
    "shortage": (
        """\
Um comprador pagou por unidades que não existem no estoque.

1. Abra a [falta](/faltas?estado=abertas) e leia por que aconteceu.
2. Procure a unidade: outra prateleira, outro depósito, devoluções.
3. Escolha uma saída: transferir, comprar, trocar com o comprador ou cancelar o pedido que custa menos.
4. Avise o comprador antes do prazo de despacho.
5. Corrija a causa, para que não se repita.""",
        """\
A buyer paid for units that are not in stock.

1. Open the [shortage](/faltas?estado=abertas) and read why it happened.
2. Look for the unit: another shelf, another warehouse, returns.
3. Choose a way out: transfer, buy, agree on another product, or cancel the order that costs least.
4. Tell the buyer before the dispatch deadline.
5. Mend the cause, so that it does not come again.""",
    ),
    "line_unlinked": (
        """\
1. Abra o pedido e veja qual anúncio foi vendido.
2. Vincule o anúncio ao SKU certo.
3. Confira que o pedido passou a reservar estoque.""",
        """\
1. Open the order and see which listing was sold.
2. Link the listing to the right SKU.
3. See that the order reserves stock now.""",
    ),
    "fulfiller_unknown": (
        """\
1. Veja no painel do canal quem envia este pedido.
2. Se for o canal (Full, FBA), não separe o produto.
3. Se for você, siga o despacho normal.""",
        """\
1. See on the channel's site who ships this order.
2. If it is the channel (Full, FBA), do not pick it.
3. If it is you, dispatch as usual.""",
    ),
    "slot_parked": (
        """\
Este anúncio **mostra um número velho** até alguém agir.

1. Leia a recusa do canal e abra o anúncio lá.
2. Corrija o que ele pede: anúncio em revisão, encerrado, sem permissão.
3. Se houver risco de vender o que não há, pause o anúncio no canal.
4. Libere o anúncio para nova tentativa.""",
        """\
This listing **shows an old number** until somebody acts.

1. Read the channel's refusal and open the listing there.
2. Mend what it asks for: under review, closed, no permission.
3. If it could sell what is not there, pause the listing on the channel.
4. Release the listing for another try.""",
    ),
    "inbox_parked": (
        """\
1. Abra a conta e veja o aviso parado e o motivo.
2. Se for um pedido, confira-o no painel do canal.
3. Depois da correção, mande o aviso ser tratado de novo.""",
        """\
1. Open the account and see the parked notice and its reason.
2. If it is an order, check it on the channel's site.
3. Once mended, have the notice handled again.""",
    ),
    "link_refused": (
        """\
1. Leia por que o vínculo não pôde ser feito.
2. Confira o SKU e o multiplicador dos anúncios que dividem o mesmo estoque.
3. Vincule de novo.""",
        """\
1. Read why the link could not be made.
2. Check SKU and multiplier of the listings that share one stock.
3. Link again.""",
    ),
    "origin_unnamed": (
        """\
Sem isso, **uma venda pode baixar o estoque duas vezes**.

1. Veja de que marketplace vêm os pedidos repassados.
2. Diga nas credenciais da conta qual canal é.
3. Confira que o pedido repassado não reservou em dobro.""",
        """\
Without it **one sale may take stock twice**.

1. See which marketplace the relayed orders come from.
2. Name that channel in the account's credentials.
3. See that the relayed order did not reserve twice.""",
    ),
    "shipment_untold": (
        """\
1. Leia a recusa do canal.
2. Informe o código de rastreio à mão no painel do canal, se o prazo estiver perto.
3. Corrija a causa (nota fiscal, transportadora, código) e deixe o hub tentar de novo.""",
        """\
1. Read the channel's refusal.
2. Enter the tracking code by hand on the channel's site if time is short.
3. Mend the cause (invoice, carrier, code) and let the hub try again.""",
    ),
    "tracking_code_unknown": (
        """\
1. Abra o envio e leia as palavras da transportadora.
2. Veja se o envio anda; nada mudou por causa do código.
3. Mande o código a quem cuida do hub, para entrar na tabela.""",
        """\
1. Open the parcel and read the carrier's words.
2. See whether it moves; nothing changed because of the code.
3. Tell the code to who looks after the hub, for its table.""",
    ),
    "parcel_exception": (
        """\
1. Abra o envio e leia a última leitura.
2. Fale com a transportadora e anote o protocolo.
3. Avise o comprador do que acontece e do novo prazo.
4. Se estiver avariado ou perdido, peça a indenização.""",
        """\
1. Open the parcel and read its last scan.
2. Talk to the carrier and note the protocol number.
3. Tell the buyer what happens and the new date.
4. If damaged or lost, claim compensation.""",
    ),
    "parcel_late": (
        """\
1. Veja a última leitura e o novo prazo da transportadora.
2. Avise o comprador antes que ele pergunte.
3. Abra uma reclamação na transportadora se nada mudar em um dia.""",
        """\
1. See the last scan and the carrier's new date.
2. Tell the buyer before they ask.
3. File a complaint with the carrier if nothing changes within a day.""",
    ),
    "parcel_stuck": (
        """\
1. Veja onde o envio parou.
2. Abra uma manifestação na transportadora e anote o protocolo.
3. Avise o comprador.""",
        """\
1. See where the parcel stopped.
2. Open a case with the carrier and note its number.
3. Tell the buyer.""",
    ),
    "parcel_lost": (
        """\
1. Confirme o extravio com a transportadora e anote o protocolo.
2. Combine com o comprador: novo envio ou reembolso.
3. Peça a indenização dentro do prazo do contrato.
4. Acerte o estoque se a unidade não voltar.""",
        """\
1. Confirm the loss with the carrier and note the case number.
2. Agree with the buyer: send again or refund.
3. Claim compensation within the contract's time.
4. Adjust stock if the unit will not come back.""",
    ),
    "parcel_pickup": (
        """\
1. Diga ao comprador onde e até quando retirar.
2. Confira o endereço e o documento pedido na retirada.""",
        """\
1. Tell the buyer where and until when to pick it up.
2. Check the address and the document asked for there.""",
    ),
    "parcel_pickup_last": (
        """\
1. Fale com o comprador hoje, por telefone se puder.
2. Se ele não puder ir, peça mais prazo à transportadora.
3. Combine o que fazer se o envio voltar.""",
        """\
1. Reach the buyer today, by phone if you can.
2. If they cannot go, ask the carrier for more time.
3. Agree on what happens if it comes back.""",
    ),
    "parcel_returned": (
        """\
1. Receba o envio e confira o que veio.
2. Registre a devolução: vendável, avariado ou perdido.
3. Combine com o comprador: novo envio ou reembolso.""",
        """\
1. Receive the parcel and check what came.
2. Record the return: sellable, damaged or lost.
3. Agree with the buyer: send again or refund.""",
    ),
    "parcel_not_found": (
        """\
1. Confira o código de rastreio letra por letra.
2. Veja se o envio já foi postado: antes disso a transportadora pode não conhecê-lo.
3. Corrija o código no canal e avise o comprador.""",
        """\
1. Check the tracking code letter by letter.
2. See whether the parcel was handed over: before that the carrier may not know it.
3. Correct the code on the channel and tell the buyer.""",
    ),
    "parcel_ambiguous": (
        """\
1. Veja na etiqueta qual transportadora leva este envio.
2. Diga ao hub qual é.
3. Confira que as leituras começam a chegar.""",
        """\
1. See on the label which carrier has this parcel.
2. Tell the hub which one.
3. See that scans begin to arrive.""",
    ),
    "parcel_unreadable": (
        """\
1. Veja o envio no site da transportadora e avise o comprador se algo mudou.
2. Mande a resposta guardada a quem cuida do hub.""",
        """\
1. Look at the parcel on the carrier's site and tell the buyer if something changed.
2. Send the answer that was kept to who looks after the hub.""",
    ),
    "ship_by_4h": (
        """\
1. Separe e embale o pedido agora.
2. Emita a nota fiscal e a etiqueta.
3. Entregue à transportadora na próxima coleta.""",
        """\
1. Pick and pack the order now.
2. Issue the invoice and the label.
3. Hand it to the carrier at the next collection.""",
    ),
    "ship_by_1h": (
        """\
1. Pare o que estiver fazendo e separe este pedido.
2. Emita a nota fiscal e a etiqueta.
3. Se a coleta já passou, leve ao ponto de postagem.""",
        """\
1. Stop what you are doing and pick this order.
2. Issue the invoice and the label.
3. If the collection has gone, take it to a drop-off point.""",
    ),
    "ship_late": (
        """\
1. Despache hoje, mesmo fora da coleta.
2. Avise o comprador do novo prazo.
3. Veja no canal se o atraso pesa na reputação e se cabe justificar.
4. Anote por que atrasou.""",
        """\
1. Dispatch today, outside the collection too.
2. Tell the buyer the new date.
3. See on the channel whether it counts against you and can be explained.
4. Note why it was late.""",
    ),
    "drift_many": (
        """\
Alguém ou outro sistema escreve estoque nesta conta.

1. Abra a [conferência](/conferencia) da conta.
2. Pergunte quem mudou: ERP, planilha, outra integração.
3. Desligue a escrita de estoque do outro sistema.
4. Aceite as correções.""",
        """\
Somebody or some other system writes stock in this account.

1. Open the account's [audit](/conferencia).
2. Ask who changed it: an ERP, a spreadsheet, another app.
3. Switch off the other system's stock writes.
4. Accept the repairs.""",
    ),
    "drift_gone": (
        """\
1. Veja no painel do canal se os anúncios existem.
2. Se sumiram por engano do canal, espere a próxima leitura.
3. Se a conta perdeu acesso, renove as credenciais.""",
        """\
1. See on the channel's site whether the listings exist.
2. If it is the channel's mistake, wait for the next reading.
3. If the account lost access, renew its credentials.""",
    ),
    "drift_proposed": (
        """\
1. Abra as [diferenças a decidir](/conferencia?estado=proposed).
2. Veja se uma venda ou uma contagem explica.
3. Corrija ou deixe como está, uma a uma.""",
        """\
1. Open the [differences to decide](/conferencia?estado=proposed).
2. See whether a sale or a count explains it.
3. Repair or leave each of them.""",
    ),
    "invariant_broken": (
        """\
**Não apague nada.** Uma promessa do hub não fecha.

1. Abra a [saúde do hub](/saude) e veja quais linhas.
2. Guarde uma cópia do banco de dados.
3. Mande o registro a quem cuida do hub.""",
        """\
**Delete nothing.** A promise of the hub does not hold.

1. Open [the hub's health](/saude) and see which rows.
2. Take a backup of the database.
3. Send the log to who looks after the hub.""",
    ),
    "low_stock": (
        """\
1. Abra a [reposição](/reposicao) e leia por que comprar tanto.
2. Confira o prazo do fornecedor.
3. Faça o pedido de compra e envie.""",
        """\
1. Open [restock](/reposicao) and read why so many.
2. Check the supplier's lead time.
3. Make the purchase order and send it.""",
    ),
    "mail_down": (
        """\
1. Leia o erro do servidor de e-mail.
2. Confira endereço, usuário e senha do servidor.
3. Mande um e-mail de teste; os guardados saem sozinhos.""",
        """\
1. Read the mail server's error.
2. Check the server's address, user and password.
3. Send a test e-mail; those kept leave by themselves.""",
    ),
    "mail_doubt": (
        """\
1. Veja na caixa de saída do servidor se a mensagem saiu.
2. Se não saiu, escreva ao comprador.""",
        """\
1. See in the server's outbox whether the message left.
2. If it did not, write to the buyer.""",
    ),
    "notice_down": (
        """\
Quem devia ser avisado por este caminho só vê os alertas quando abre o Balcão.

1. Fale com a pessoa: ela abre *Configurações › Avisos*, lê o motivo e troca o endereço.
2. Com *Mandar um teste*, o caminho que funciona liga de novo.
3. Se ela está fora, registre a ausência: quem a substitui é avisado.""",
        """\
Whoever should be told by this way sees alerts only when they open Balcão.

1. Talk to the person: they open *Settings › Notices*, read the reason and change the address.
2. With *Send a test*, a way that works is on again.
3. If they are away, note the absence: their stand-in is told.""",
    ),
    "endpoint_disabled": (
        """\
O programa que ouvia **não recebe mais eventos**; o que falhou está guardado no registro dele.

1. Abra [Eventos](/configuracoes/eventos) e leia a última resposta que ele deu.
2. Peça a quem cuida do programa que o ponha no ar, ou corrija o endereço.
3. Ligue o destino de novo e envie um evento de teste.
4. Reenvie o que falhou desde que parou.""",
        """\
The program that listened **gets no more events**; what failed is kept in its log.

1. Open [Events](/configuracoes/eventos) and read the last answer it gave.
2. Ask who looks after the program to bring it back, or mend the address.
3. Enable the endpoint again and send a test event.
4. Replay what failed since it stopped.""",
    ),
    "label_doubt": (
        """\
**Não compre outra etiqueta ainda**: esta pode ter sido paga.

1. Procure a referência no painel da transportadora.
2. Se existir, deixe o hub achá-la; se não, libere a compra.
3. Confira o saldo cobrado.""",
        """\
**Do not buy another label yet**: this one may have been paid.

1. Look for its reference on the carrier's site.
2. If it is there, let the hub find it; if not, release the purchase.
3. Check what was charged.""",
    ),
    "label_cancelled_told": (
        """\
1. Veja que código o canal e o comprador receberam.
2. Compre a etiqueta nova e informe o código.
3. Se o envio já saiu, fale com a transportadora.""",
        """\
1. See which code the channel and the buyer were told.
2. Buy the new label and tell its code.
3. If the parcel has left, talk to the carrier.""",
    ),
}
