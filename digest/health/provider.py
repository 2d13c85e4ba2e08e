"""What the provider in MAIL_URL can, and whether its reports can come in."""

from collections.abc import Iterable

from django.core.checks import CheckMessage

from digest.health.names import address_of
from digest.health.verdict import Verdict, fault, not_checked, ok, warning
from digest.providers import Provider, Reports

REPEATED = {
    True: "the Message-ID stays ours: a mail that is sent again can be told as the same",
    False: "the Message-ID becomes the provider's",
    None: "whether the Message-ID stays ours is not documented: check a received copy",
}


def abilities(provider: Provider) -> list[Verdict]:
    """What the configured transport can and cannot."""
    if not provider.leaves:
        return [not_checked("Provider", f"{provider.name}: {provider.note[0].lower()}{provider.note[1:]}")]
    return [_one_click(provider), _batches(provider), _again(provider)]


def _one_click(provider: Provider) -> Verdict:
    name = "One-click unsubscribe"
    note = f" {provider.note}" if provider.note else ""
    if not provider.one_click:
        remedy = "Ask the provider for it in writing, check a received copy, or take another provider."
        return warning(name, f"{provider.name} may not carry our List-Unsubscribe.{note}", remedy)
    return ok(name, f"{provider.name} carries our List-Unsubscribe and List-Unsubscribe-Post.{note}")


def _batches(provider: Provider) -> Verdict:
    if provider.carries_batches and not provider.placeholder:
        return ok("Batches", "one message a reader (it could carry batches, ours are built for Mailgun only)")
    if provider.uses_batches:
        return ok("Batches", f"up to {provider.batch_limit} readers a call, each with a link of their own")
    if provider.batch_limit == 1:
        return ok("Batches", "one message a reader (there is no batch)")
    missing = [
        what
        for what, can in (("header", provider.header_in_batch), ("link in the body", provider.link_in_batch))
        if not can
    ]
    why = f"batches cannot carry each reader's own {' and '.join(missing)}" if missing else "see above"
    return ok("Batches", f"one message a reader ({why})")


def _again(provider: Provider) -> Verdict:
    key = f"idempotency: {provider.idempotency}" if provider.idempotency else "no idempotency key"
    return ok("After a crash", f"{REPEATED[provider.keeps_message_id]}; {key}")


def webhook(provider: Provider, path: str, site_url: str, found: Iterable[CheckMessage]) -> Verdict:
    """Whether bounces and complaints can come in. ``path`` is of the webhook, "" where the provider has none.

    ``found`` is what the system check E015, E016 says. The password is never printed.
    """
    name = "Webhook"
    for message in found:
        return fault(name, message.msg, message.hint or "")
    if not path and provider.reports is Reports.NONE:
        return ok(name, f"{provider.name} sends no reports; refusals at the hand-over are counted")
    scheme, _, rest = address_of(site_url).partition("://")
    address = f"{scheme}://NAME:PASSWORD@{rest}{path}"
    if not path:
        return not_checked(name, "MAIL_WEBHOOK_SECRET is empty", "Set it to name:password to hear of bounces.")
    how = "its reports are signed too" if provider.reports is Reports.SIGNED else "the password alone guards it"
    ids = "" if provider.event_ids else "; reports have no id of their own, repetitions are told by their content"
    return ok(name, f"give the provider {address} (from MAIL_WEBHOOK_SECRET); {how}{ids}")
