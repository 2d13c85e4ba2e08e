"""In which words mail servers and providers say things, in a text made ``plain``. Pure.

All gaps between words are bounded, so that a text takes time in proportion to its length.
"""

import re

# Letters of an answer that are read: the longest known explanations have some six hundred.
READ = 2_000
_INNER_DOT = re.compile(r"(?<=\w)\.(?=\w)")


def _any(*patterns: str) -> re.Pattern[str]:
    """One pattern of several. Gaps in them are bounded, so that a text takes time in proportion to its length."""
    return re.compile("|".join(patterns))


LIMIT, CREDITS, ACCOUNT, LOGIN = "a sending limit", "credits or payment", "the account", "the login"
RELAY, SENDER, REPUTATION, SERVER = "relaying", "the sender", "reputation", "the server itself"
CONNECTION = "the limit of a connection"
_PERIOD = r"(?:per|an|each|every|/) ?(?:second|minute|hour|day|week|month)|daily|hourly|monthly|24 ?h|this hour|today"
_MAILS = r"(?:e ?mails?|mails?|messages?|msgs?|recipients?|submissions?)"
SESSION = _any(
    r"(?:per|this|in one|one|the|same) (?:smtp )?(?:session|connection)\b(?! rate)",
    r"\bsession (?:limit|quota)",
    rf"\btoo many {_MAILS}[^.]{{0,40}}\b(?:session|connection)\b",
    r"\b(?:reconnect|new connection|reopen)",
)
# Of the recipient: 4.2.1 of Gmail, 5.2.121 of Exchange. Never ours, though it speaks of limits.
RECEIVES = _any(
    r"\b(?:user|account|recipient|mailbox)[^.]{0,80}\breceiving\b",
    r"\brecipient'?s?[^.]{0,30}\breceive limit",
    r"\bmailbox received too many",
    r"\bmailbox received too much",
)
OF_LIMITS = _any(
    rf"(?:{_PERIOD})[^.]{{0,60}}(?:limit|quota|exceed|max|allow|reached)",
    rf"(?:limit|quota|exceed|max|too many|too much)[^.]{{0,90}}(?:{_PERIOD})",
    r"\b(?:send|sends|sending|sent|outgoing|outbound|submission|smtp|relay|account|user) ?"
    r"(?:e ?mail |mail |message |rate |messages )?(?:limits?|quota|rate|threshold)\b",
    r"(?:limit|quota)[^.]{0,30}\b(?:sending|outgoing|outbound|send)\b",
    rf"\b{_MAILS} (?:sending |rate |count )?(?:limit|quota)\b",
    rf"\btoo (?:many|much) {_MAILS}(?! on)",
    rf"\bmax(?:imum)? (?:number of )?{_MAILS}",
    r"\bexceeded (?:the )?(?:max|hour|day|month)\b",
    r"\bhas exceeded [^.]{0,30}\b(?:e ?mail|mail|message|sending) (?:quota|limit)",
    r"\brate ?limit|\bthrottl|\bsubmissionquota|\bover rate|\bsending (?:too fast|rate)|\bsend rate",
    r"\bhas exceeded (?:its|their|your|the) (?:quota|limit|allowance)",
    r"\byou(?:'ve| have)? (?:reached|exceeded)\b",
    r"\b(?:tages|versand|stunden)(?:limit|kontingent)|\bl[ií]mite (?:d'envoi|de env[ií]o|diari|giornalier|quotidien)",
)
OF_CREDITS = _any(
    r"\b(?:insufficient|not enough|no|out of|maximum|exceeded|lack of)[^.]{0,20}\bcredits?\b",
    r"\bcredits?\b[^.]{0,30}\b(?:exceed|exhaust|insufficient|used|left|run out|ran out)",
    r"\b(?:billing|unpaid|payment|overdue|insufficient (?:funds|balance)|subscription (?:has )?(?:expired|ended))",
    r"\b(?:free|trial|sandbox) (?:plan|account|domain|subdomain|mode)|\btesting emails\b|\bin the sandbox\b",
    r"\bupgrade (?:your|to|the)\b|\bplan (?:limit|does not)",
)
_OF_ACCOUNT = _any(
    r"\b(?:your|sender|sender's|sending|this mail|smtp|api) (?:\w+ )?account\b[^.]{0,60}\b(?:suspend|disabl|pend|paus|"
    r"block|lock|restrict|terminat|inactive|not|under|on hold)",
    r"\baccount\b[^.]{0,40}\b(?:pending|awaiting|limited|under (?:review|validation)|may not send|paused|suspended)",
    r"\baccount\b[^.]{0,40}\bnot (?:yet )?(?:activat|approv|validat|verif)",
    r"\b(?:sending|outgoing|outbound)\b[^.]{0,40}\b(?:disabled|suspended|paused|blocked|not enabled|forbidden)",
    r"\bnot (?:yet )?(?:allowed|permitted|authori[sz]ed|able|approved|activated|enabled) (?:to|for) send",
    r"\b(?:may not|cannot|can't|unable to) send\b(?! to (?:this|the) (?:user|recipient|group))",
    r"\b(?:activate|verify|validate) your\b|\bunder validation|\bpending approval|\bpermission denied|\bunauthorized\b",
)
_OF_LOGIN = _any(
    r"\bauthenti|\bauth(?:orization)? (?:is )?(?:required|failed|first)|\bsmtp auth|\blog ?in\b|\bcredential",
    r"\bpassword|\bapi key|\bstarttls\b|\btls (?:is )?required|\bmust issue",
)
_OF_RELAYING = _any(
    r"\brelay(?:ing)?\b[^.]{0,30}\b(?:denied|prohibited|refused|rejected|disallowed|forbidden|not|disabled)",
    r"\b(?:not|unable to|cannot|can't|won't|no) (?:permitted to |allowed to |authorized to |do )?relay|\brelaying\b",
    r"\brcpthosts\b|\bopen relay|\bnot permitted\b(?![^.]{0,30}\b(?:recipient|group|list)\b)",
)
_OF_SENDER = _any(
    r"\bsender (?:address |domain |e ?mail |identity |signature |verify |verification |is |was |not )*"
    r"(?:reject|refus|denied|fail|invalid|unknown|blocked|blacklist|not|unverified|must|could|found)",
    r"\b(?:sender|from)\b[^.]{0,60}\b(?:not (?:a )?(?:verified|owned|allowed|valid|confirmed)|unverified|no mx|"
    r"does not match|mismatch)",
    r"\b(?:domain|identity|identities|signature|address)\b[^.]{0,60}\bnot (?:been )?verified",
    r"\binvalid (?:sender|from)\b|\bsend ?as ?denied|\bbad sender|\bunauthenticated senders?",
)
_OF_REPUTATION = _any(
    r"\bspamhaus|\bspamcop|\bsorbs\b|\bsurriel|\buceprotect|\bbarracuda|\bsenderbase|\btalos|\binvaluement|\bspfbl",
    r"\bblack ?list|\bblock ?list|\bdnsbl|\brbl\b|\bdeny ?list|\bbanned sending|\breputation\b",
    r"\b(?:ip|client|host|network|server|messages from)\b[^.]{0,80}\b(?:blocked|listed|denied|banned|reject)",
    r"\b(?:reverse dns|rdns|ptr|fcrdns|hostname lookup|helo|ehlo)\b|\b(?:spf|dkim|dmarc|arc)\b",
    r"\bunusual rate of unsolicited|\btraffic not accepted|\bs31[45]0\b",
)
_OURS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (CREDITS, OF_CREDITS),
    (LIMIT, OF_LIMITS),
    (RELAY, _OF_RELAYING),
    (LOGIN, _OF_LOGIN),
    (SENDER, _OF_SENDER),
    (ACCOUNT, _OF_ACCOUNT),
    (REPUTATION, _OF_REPUTATION),
)
TOO_LARGE = _any(
    r"\b(?:message|mail|e ?mail|data|content|body|payload|request entity|length)\b[^.]{0,30}\btoo (?:big|large|long)",
    r"\b(?:message|mail|e ?mail|header|body|content)(?:'s)? (?:size|length)\b[^.]{0,40}\b(?:exceed|limit|too|max)",
    r"\b(?:exceed\w*|over|larger than)\b[^.]{0,40}\b(?:message|mail|maximum|max|fixed) (?:\w+ )?(?:size|length)",
    r"\btoo (?:big|large)\b|\bsize limit\b",
)
_WHO = r"(?:user|users|recipient|recipients|mailbox|address|account|alias|local part|addressee|benutzer|empfänger)"
IS_FULL = _any(
    r"\b(?:mail ?box|inbox|postfach)\b[^.]{0,60}\b(?:full|quota|exceed\w*|size|limit|voll)\b",
    r"\b(?:storage|disk|speicher\w*|space)\b[^.]{0,40}\b(?:quota|full|limit|exceed\w*|exhaust\w*|ueberschritten)\b",
    r"\b(?:exhausted|exceeded|over|insufficient|out of|no)\b[^.]{0,30}\b(?:storage|disk|space)\b",
    r"\b(?:user|recipient|account|address)\b[^.]{0,40}\b(?:is full|over ?quota|over (?:its|his|the) quota)\b",
    r"\btoo many messages on\b|\bzuviele mails\b",
)
QUOTA = _any(r"\bquota\b|\boverquota\b")
IS_GONE = _any(
    rf"\b(?:unknown|no such|invalid|non ?existent|nonexistent|bad|unrouteable|undeliverable) (?:\w+ )?{_WHO}\b",
    rf"\b{_WHO}\b[^.]{{0,80}}\b(?:unknown|not found|not exist|no longer|disabled|inactive|deactivated|discontinued|"
    r"closed|suspended|not known|not local|not listed|unbekannt|nicht bekannt|inconnue?)",
    rf"\b(?:doesn'?t|does not|do not|don'?t) (?:have|exist)\b|\bno (?:mailbox|user|account)s?\b|\bnot a valid {_WHO}",
    r"\bunknown local|\bunrouteable|\bnot our customer|\bnull mx\b|\bdomain (?:not found|does not exist|unknown)",
)
SPAM = _any(r"\bspam\b")  # in the mail; not in the name of a list
POLICY = _any(r"spam|polic|block|listed|abuse|banned|denied|prohibit|not allowed|not accept|reject|restrict")
# What a provider says of a recipient with a status of 4xx: on its list of addresses that bounced, complained or left.
NOT_TO = _any(
    r"\b(?:recipient|to address|'to'|to email|mailbox)\b[^.]{0,60}"
    r"\b(?:inactive|suppress|blacklist|blocked|unsubscribed|bounced|invalid|not valid)",
    r"\b(?:inactive|suppressed|blacklisted|blocked|unsubscribed|invalid) (?:recipient|to\b)",
    r"\baddress blacklisted|\bsuppression list",
)


def plain(text: str) -> str:
    """As patterns want it: lower case, one space between words, "not_enough_credits" and "per-hour" as words.

    A dot is left only where a sentence can end: those of hosts and numbers are taken out.
    """
    plain = text[:READ].lower().replace("_", " ").replace("-", " ").replace("\u2019", "'")
    return " ".join(_INNER_DOT.sub("", plain).split())


def matter(text: str) -> str:
    """Which matter of ours the words name, if any."""
    return next((why for why, words in _OURS if words.search(text)), "")
