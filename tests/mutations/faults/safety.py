"""Budgets and locks, secrets and addresses, what is erased and what is forgotten."""

from tests.mutations.fault import Fault

GUARD = "tests/subscriptions/test_guard.py"
PARAMETERS = "tests/subscriptions/test_parameters.py"
TRANSFER = "tests/subscriptions/test_transfer.py"
ERASING = "tests/digest/test_erasing.py"
PRIVACY = "tests/subscriptions/test_privacy.py"
EVENTS = "tests/subscriptions/test_mail_events.py"
LOGS = "tests/test_logs.py"

SAFETY = (
    Fault(
        "one address gets any number of letters",
        "subscriptions/guard.py",
        "keys = [] if owed else [(Kind.ADDRESS, key, settings.LETTERS_PER_ADDRESS)]",
        "keys: list[tuple[Kind, str, Windows]] = []",
        (
            "tests/subscriptions/test_signup.py::test_one_address_gets_one_mail_in_ten_minutes_however_often_it_is_typed",
        ),
        quick=True,
    ),
    Fault(
        "one network causes any number of letters",
        "subscriptions/guard.py",
        "        (Kind.NETWORK, network_hash(ip), settings.SIGNUPS_PER_NETWORK),\n",
        "",
        (f"{GUARD}::test_a_spoofed_header_buys_no_second_budget",),
    ),
    Fault(
        "the site sends any number of letters",
        "subscriptions/guard.py",
        'return spend_all([*keys, (Kind.SITE, "", site)], now)',
        "return spend_all(keys, now)",
        (f"{GUARD}::test_letters_over_the_sites_budget_wait_and_give_up_after_a_day",),
    ),
    Fault(
        "one domain gets any number of letters",
        "subscriptions/guard.py",
        "    if stranger and (domain := counted_domain(email)):",
        "    if owed and (domain := counted_domain(email)):",
        (f"{GUARD}::test_strangers_at_one_domain_share_a_budget_with_nobody_else_and_a_large_provider_has_none",),
    ),
    Fault(
        "what one budget refuses is spent from the others",
        "subscriptions/guard.py",
        "                transaction.set_rollback(True)\n                break",
        "                break",
        (f"{GUARD}::test_where_one_budget_refuses_none_is_spent",),
        both=True,
    ),
    Fault(
        "the window of a budget is not looked at",
        "subscriptions/guard.py",
        "adapt(minute_of(now - window)), at])",
        "adapt(minute), at])",
        (f"{GUARD}::test_a_reminder_is_one_a_day_beside_the_letters",),
        both=True,
    ),
    Fault(
        "the breaker never opens",
        "subscriptions/guard.py",
        "    if confirmed >= total * settings.BREAKER_SHARE:",
        "    if confirmed >= 0:",
        (f"{GUARD}::test_the_breaker_opens_when_nobody_confirms_tells_once_and_closes_by_itself",),
    ),
    Fault(
        "anybody can write which network is counted",
        "subscriptions/networks.py",
        "            return forwarded[-hops]",
        "            return forwarded[0]",
        (f"{GUARD}::test_only_what_our_own_proxies_wrote_says_where_a_request_came_from",),
    ),
    Fault(
        "passwords of the admin can be guessed without end",
        "subscriptions/sign_ins.py",
        "            request.axes_locked_out = True  # type: ignore[attr-defined]\n            return True",
        "            return False",
        ("tests/subscriptions/test_sign_ins.py::test_who_guesses_is_locked_out_whatever_is_changed_between_tries",),
    ),
    Fault(
        "a network can have any number of the archive's mails computed",
        "subscriptions/page_limits.py",
        "        if cache.incr(key) > most:",
        "        if cache.incr(key) < 0:",
        (f"{PARAMETERS}::test_over_its_budget_a_network_is_told_to_wait_and_no_cache_keeps_that",),
    ),
    Fault(
        "a report is believed without its secret",
        "subscriptions/webhooks.py",
        "            super().run_validators(request)",
        "            request.body",
        ("tests/subscriptions/test_webhooks.py::test_a_wrong_secret_is_refused_and_nothing_is_stored",),
    ),
    Fault(
        "an address of somebody else stays in what is kept of a report",
        "subscriptions/redaction.py",
        "found[0] if _is_our_message_id(found[0]) else ANYBODY, text)",
        "found[0], text)",
        (f"{EVENTS}::test_the_address_of_anybody_else_goes_too",),
    ),
    Fault(
        "the token of a path stays in the log",
        "config/logs.py",
        "    text = _KEYED_PATH.sub(_without_key, text)\n    return _RUN.sub(lambda run: TOKEN if _looks_like_a_token"
        "(run[0]) else run[0], text)",
        "    return text",
        (f"{LOGS}::test_a_token_is_taken_out_of_every_path",),
        quick=True,
    ),
    Fault(
        "an address stays in the log",
        "config/logs.py",
        "ADDRESS if _AT.search(word[0]) else word[0], text)",
        "word[0], text)",
        (f"{LOGS}::test_an_address_is_taken_out_however_it_is_wrapped",),
    ),
    Fault(
        "an erased reader's digests keep what was in them",
        "digest/privacy.py",
        "own.update(subscriber=None, picks=[], follow_ups=[],",
        "own.update(subscriber=None,",
        (f"{ERASING}::test_the_rows_stay_without_anything_of_the_reader",),
    ),
    Fault(
        "an erased reader stays in who was sent what",
        "digest/privacy.py",
        "        readers.discard(subscriber.pk)\n",
        "",
        (f"{ERASING}::test_the_reader_leaves_the_bitmaps_and_others_stay",),
    ),
    Fault(
        "who asked to be erased leaves no stop behind",
        "subscriptions/privacy.py",
        "            reason=Suppression.Reason.ERASED,",
        "            reason=Suppression.Reason.BOUNCE,",
        (f"{PRIVACY}::test_erasing_leaves_hash_kind_and_time_and_a_suppression",),
    ),
    Fault(
        "what providers said is kept for years",
        "subscriptions/suppression.py",
        "KEEP_PAYLOAD = timedelta(days=7)",
        "KEEP_PAYLOAD = timedelta(days=700)",
        ("tests/subscriptions/test_suppression.py::test_payloads_go_after_seven_days_and_rows_after_ninety",),
    ),
    Fault(
        "an import brings back who said no",
        "subscriptions/transfer/importing.py",
        "    if reasons:\n        return Outcome.SUPPRESSED,",
        "    if reasons and known:\n        return Outcome.SUPPRESSED,",
        (f"{TRANSFER}::test_an_erased_reader_is_not_brought_back",),
    ),
    Fault(
        "a cell of an export can be a formula",
        "subscriptions/transfer/cells.py",
        'return _FORMULA.sub(r"\\1\'", text)',
        "return text",
        (f"{TRANSFER}::test_no_cell_of_an_export_begins_a_formula",),
    ),
)
