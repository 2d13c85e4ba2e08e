"""When a digest is due, which links open what, and what leads to a stop."""

from tests.mutations.fault import Fault

SCHEDULE = "tests/subscriptions/test_schedule.py"
PLANNING = "tests/digest/test_planning.py"
TOKENS = "tests/subscriptions/test_tokens.py"
FUZZ = "tests/subscriptions/test_fuzz.py"
SIGNUP = "tests/subscriptions/test_signup.py"
LIFECYCLE = "tests/subscriptions/test_lifecycle.py"
SUPPRESSION = "tests/subscriptions/test_suppression.py"
PRESSES = "tests/subscriptions/test_presses_without_cookies.py"

READERS = (
    Fault(
        "of an hour that clocks repeat the second one is taken",
        "subscriptions/schedule.py",
        "astimezone(UTC) for n in (0, 1))",
        "astimezone(UTC) for n in (1, 0))",
        (f"{SCHEDULE}::test_it_sends_once_when_the_hour_comes_twice",),
        quick=True,
    ),
    Fault(
        "the hour of a digest is UTC's, whatever the reader's zone",
        "subscriptions/schedule.py",
        "astimezone(UTC) for n in (0, 1))\n    return first if local_day(first, zone) == day else second",
        "astimezone(UTC) for n in (0, 1))\n    return datetime.combine(day, at, UTC)",
        (f"{SCHEDULE}::test_half_past_seven_stays_half_past_seven_all_year",),
    ),
    Fault(
        "weekdays begin on Sunday",
        "subscriptions/schedule.py",
        "        if not mask >> day.weekday() & 1:",
        "        if not mask >> day.isoweekday() % 7 & 1:",
        (f"{SCHEDULE}::test_a_weekly_reader_who_moves_on_the_day_does_not_lose_the_week",),
    ),
    Fault(
        "a change of the hour sends at once",
        "subscriptions/schedule.py",
        "    floor = max(now, last_due + REST - TICK if last_due else now, earliest - TICK if earliest else now)",
        "    floor = now - REST",
        (f"{SCHEDULE}::test_after_a_change_of_the_hour_nothing_is_sent_at_once",),
    ),
    Fault(
        "readers who are due are looked for in the order of their numbers",
        "subscriptions/models/readers.py",
        'next_due_at__lte=at).order_by("next_due_at", "pk")',
        'next_due_at__lte=at).order_by("pk")',
        (f"{PLANNING}::test_chunks_reach_every_reader_also_those_behind_the_waiting_ones",),
        both=True,
    ),
    Fault(
        "a stopped address counts as active",
        "subscriptions/models/readers.py",
        "Q(paused_until__lte=at), ~Q(suppressed), state",
        "Q(paused_until__lte=at), state",
        (
            f"{PLANNING}::test_only_those_whose_hour_has_come_and_who_want_mail_are_planned",
            "tests/digest/test_delivery.py::test_a_reader_who_was_suppressed_or_paused_meanwhile_gets_none",
        ),
        both=True,
    ),
    Fault(
        "a token of one purpose opens the pages of every other",
        "subscriptions/tokens.py",
        'b"daily-papers/" + purpose.encode()',
        'b"daily-papers/"',
        ("tests/digest/test_feedback.py::test_a_token_for_another_purpose_does_not_open_it",),
        quick=True,
    ),
    Fault(
        "links never expire",
        "subscriptions/tokens.py",
        "expired=lifetime is not None and now >= made_at + lifetime,",
        "expired=False,",
        (f"{TOKENS}::test_unsubscribe_never_expires_and_manage_does_after_thirty_days",),
    ),
    Fault(
        "a link opens the row of a reader who came later",
        "subscriptions/tokens.py",
        "return self.made_at >= created_at.replace(second=0, microsecond=0)",
        "return True",
        (
            "tests/subscriptions/test_reused_numbers.py::test_an_old_unsubscribe_link_answers_as_to_one_who_is_gone_and_lets_nobody_leave",
        ),
    ),
    Fault(
        "a retired key opens every page",
        "subscriptions/links.py",
        "    if purpose is Purpose.UNSUBSCRIBE:\n",
        "    if purpose:\n",
        (f"{FUZZ}::test_unsubscribe_links_outlive_every_rotation_of_keys_and_all_others_die_with_a_retired_one",),
    ),
    Fault(
        "looking at the unsubscribe page unsubscribes",
        "subscriptions/views/leaving.py",
        '    if request.method == "POST":\n        one_click',
        '    if request.method != "HEAD":\n        one_click',
        (f"{SIGNUP}::test_get_head_and_options_change_nothing",),
    ),
    Fault(
        "another site can sign up whoever visits it",
        "subscriptions/views/signup.py",
        'if request.method == "POST" and not _came_from_us(request, form):',
        'if request.method == "PUT" and not _came_from_us(request, form):',
        (f"{PRESSES}::test_another_site_cannot_spend_a_visitors_budget",),
    ),
    Fault(
        "a POST without a form counts as a press of the button",
        "subscriptions/views/proof.py",
        "        return bool(request.POST) or bool(request.FILES)",
        "        return True",
        (f"{PRESSES}::test_a_program_that_posts_to_the_links_it_finds_changes_nothing",),
    ),
    Fault(
        "an old confirmation link brings back who left",
        "subscriptions/lifecycle/joining.py",
        'return "left" if left_since and reader.state != State.ACTIVE else ""',
        'return ""',
        (f"{LIFECYCLE}::test_a_confirmation_mail_that_was_asked_for_before_the_leaving_does_not_bring_back_who_left",),
    ),
    Fault(
        "a dead mailbox is a soft bounce",
        "subscriptions/suppression.py",
        '"bounced": {"invalid": HARD, "bounced": HARD,',
        '"bounced": {"invalid": SOFT, "bounced": HARD,',
        (f"{SUPPRESSION}::test_each_kind_and_reason_leads_to_one_thing",),
    ),
    Fault(
        "one soft bounce more is needed than the setting says",
        "subscriptions/suppression.py",
        "            if len(inside) >= most:",
        "            if len(inside) > most:",
        (f"{SUPPRESSION}::test_three_soft_bounces_in_a_fortnight_stop_the_address",),
    ),
    Fault(
        "a complaint is lifted by a new confirmation, as a bounce is",
        "subscriptions/suppression.py",
        "    reason = Reason.COMPLAINT if said is COMPLAINT else Reason.BOUNCE",
        "    reason = Reason.BOUNCE",
        (f"{SUPPRESSION}::test_a_complaint_stops_the_address_for_ever_and_a_new_sign_up_gets_no_letter",),
    ),
    Fault(
        "a bounce of before the confirmation stops the reader",
        "subscriptions/suppression.py",
        "        if event.at <= since:",
        "        if event.at < NEVER:",
        (f"{SUPPRESSION}::test_a_bounce_before_the_confirmation_has_no_effect_but_a_complaint_has",),
    ),
    Fault(
        "a report that names one reader's mail and another's address stops the other",
        "subscriptions/attribution.py",
        "    Whose.ANOTHERS: NOBODY,\n    Whose.NOBODYS: SOFTLY,",
        "    Whose.ANOTHERS: ADDRESS,\n    Whose.NOBODYS: SOFTLY,",
        ("tests/subscriptions/test_attribution.py::test_a_letter_is_about_the_address_that_it_was_sent_to",),
    ),
)
