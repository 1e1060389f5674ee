"""What the page of notices says: tables only."""

from hub.web.i18n import N_

FORMAT = {
    "email": N_("E-mail"),
    "slack": N_("Slack, Mattermost ou Rocket.Chat"),
    "discord": N_("Discord"),
    "google_chat": N_("Google Chat"),
    "teams": N_("Microsoft Teams"),
    "telegram": N_("Telegram"),
}
# How the address of a chat is come by; each line is a step.
STEPS = {
    "email": (N_("Os avisos vão para o e-mail com que você entra aqui."),),
    "slack": (
        N_("No Slack, abra api.slack.com/apps, crie um aplicativo e ligue “Incoming Webhooks”."),
        N_(
            "Em “Add New Webhook to Workspace”, escolha o canal e copie o endereço que começa com https://hooks.slack.com/."
        ),
        N_("No Mattermost ou Rocket.Chat, crie um webhook de entrada e copie o endereço dele."),
    ),
    "discord": (
        N_("No Discord, abra as configurações do canal, Integrações, Webhooks, Novo webhook."),
        N_("Use “Copiar URL do webhook”."),
    ),
    "google_chat": (
        N_("No espaço do Google Chat, abra o menu do nome, Apps e integrações, Webhooks, Adicionar."),
        N_("Dê um nome e copie o link."),
    ),
    "teams": (
        N_("No canal do Teams, abra Fluxos de trabalho e escolha o modelo de “solicitação de webhook recebida”."),
        N_("Conclua o fluxo e copie o endereço que ele mostra."),
    ),
    "telegram": (
        N_("Fale com @BotFather no Telegram, mande /newbot e copie o token que ele responde."),
        N_("Mande uma mensagem ao seu bot (ou ponha-o no grupo), e veja o número da conversa com @userinfobot."),
    ),
}
LEAST = {
    "urgent": N_("só os urgentes"),
    "warning": N_("urgentes e de atenção"),
    "info": N_("todos, também os informativos"),
}
SCOPE = {
    "mine": N_("os meus, e os do meu papel sem dono"),
    "all": N_("os de toda a loja"),
}
KIND = {
    "alerts": N_("alertas"),
    "digest": N_("resumo da manhã"),
    "test": N_("teste"),
}
STATE = {
    "sending": ("busy", N_("saindo")),
    "sent": ("ok", N_("entregue")),
    "failed": ("bad", N_("não saiu")),
    "doubt": ("wait", N_("em dúvida")),
}
REASON = {
    "private_address": N_(
        "O endereço leva para dentro da rede deste servidor, e isso não é permitido. Se é mesmo um chat seu, quem "
        "instalou o hub pode liberar com BALCAO_ALLOW_PRIVATE_HOSTS."
    ),
    "bad_address": N_("O endereço não pode ser chamado: copie de novo do chat."),
    "connect": N_("Não houve conexão com o chat: confira se o endereço está certo e se o servidor tem internet."),
    "timeout": N_("O chat não respondeu em 10 segundos: não se sabe se a mensagem chegou, e ela não é repetida."),
    "too_large": N_("O chat respondeu algo grande demais para ser lido: confira o endereço."),
    "no_webhook": N_("O endereço abre uma página, não um webhook: copie o endereço do webhook, não o do canal."),
    "gone": N_("O chat não conhece mais este webhook: ele foi apagado, ou o canal foi arquivado. Crie outro e troque."),
    "refused_key": N_("O chat recusou a chave deste endereço: crie o webhook (ou o token do bot) de novo."),
    "throttled": N_("O chat pediu para esperar: o hub tenta de novo sozinho."),
    "refused": N_("O chat recusou a mensagem: confira se o formato escolhido é o deste endereço."),
    "server": N_("O chat está com problemas: o hub tenta de novo sozinho."),
    "sealed": N_("O endereço foi guardado com uma chave que este servidor não tem mais: remova e ligue de novo."),
    "no_smtp": N_("Este hub não envia e-mail: quem o instalou precisa definir BALCAO_SMTP_URL e BALCAO_MAIL_FROM."),
    "mail_refused": N_("O servidor de e-mail recusou o seu endereço: confira se ele existe."),
    "mail_down": N_("O servidor de e-mail não aceitou a conexão: o hub tenta de novo sozinho."),
    "mail_doubt": N_("A conexão caiu durante o envio: não se sabe se o e-mail saiu, e ele não é repetido."),
    "stopped": N_("O hub parou durante o envio: não se sabe se a mensagem chegou, e ela não é repetida."),
}
REASON_OTHER = N_("Não saiu.")
REFUSAL = {
    "format": N_("Escolha um dos formatos."),
    "no_smtp": N_("Este hub não envia e-mail: quem o instalou precisa definir BALCAO_SMTP_URL e BALCAO_MAIL_FROM."),
    "token": N_("O token tem a forma 123456789:AA…, como o @BotFather o mostra."),
    "chat": N_("Diga o número da conversa (grupos começam com -) ou o @nome de um canal."),
    "address": N_("Cole o endereço inteiro do webhook: começa com https://."),
    "https": N_("O endereço precisa começar com https://, para a chave não viajar aberta."),
    "other": N_("Este endereço é de outro chat (%(other)s): volte e escolha aquele."),
    "many": N_("Você já tem %(most)s caminhos: remova algum antes."),
    "again": N_("O seu e-mail já é um caminho: mude as escolhas dele abaixo."),
    "unknown": N_("Este caminho não existe mais."),
    "wait": N_("Um teste a cada dez segundos: espere um pouco."),
    "busy": N_("Uma mensagem está saindo por este caminho agora: tente em instantes."),
}
PROBLEM = {
    "name": N_("Dê um nome, em até 60 caracteres."),
    "least": N_("Escolha o que é avisado."),
    "scope": N_("Escolha de quem."),
    "quiet": N_("Escreva as duas horas, como 21:00 e 08:00, ou deixe as duas vazias."),
    "digest": N_("Escreva uma hora, como 07:30, ou deixe vazio."),
}
