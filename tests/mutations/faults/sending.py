"""Claims, leases, hand-overs, what was uncertain, and the sums of the days."""

from tests.mutations.fault import Fault

LEDGER = "tests/digest/test_ledger.py"
DELIVERY = "tests/digest/test_delivery.py"
CONDUCTOR = "tests/digest/test_conductor.py"
PERHAPS = "tests/digest/test_perhaps_taken.py"
FENCING = "tests/digest/test_fencing.py"
UNCERTAIN = "tests/digest/test_uncertain.py"
OUTCOMES = "tests/digest/test_outcomes.py"
RELAYS = "tests/digest/test_limits_of_relays.py"

SENDING = (
    Fault(
        "a digest is claimed before it is free",
        "digest/ledger.py",
        "Digest.objects.filter(Q(free_at=None) | Q(free_at__lte=now), state=State.PLANNED)",
        "Digest.objects.filter(state=State.PLANNED)",
        (f"{CONDUCTOR}::test_a_digest_that_asks_to_leave_later_in_its_minute_is_not_claimed_before",),
        both=True,
    ),
    Fault(
        "a change of state does not ask in which state the row is",
        "digest/ledger.py",
        "    return rows.filter(state=start).update(",
        "    return rows.update(",
        (f"{OUTCOMES}::test_closing_ends_what_is_still_planned_and_refuses_what_is_on_its_way",),
        both=True,
    ),
    Fault(
        "any state may follow any other",
        "digest/ledger.py",
        "if end not in ALLOWED.get(start, frozenset()):",
        "if end not in State.values:",
        (f"{DELIVERY}::test_a_change_that_the_table_does_not_have_is_a_defect",),
        quick=True,
    ),
    Fault(
        "a lapsed lease is not looked at",
        "digest/ledger.py",
        "        free_at__gt=now,\n        due_at__gte=stale,",
        "        due_at__gte=stale,",
        (f"{DELIVERY}::test_a_lapsed_lease_may_not_be_used",),
        both=True,
        quick=True,
    ),
    Fault(
        "a claim that lapses costs the digest a try",
        "digest/ledger.py",
        'lapsed, State.CLAIMED, State.PLANNED, attempt=F("attempt") - 1, free_at=None, claimed_by=""',
        'lapsed, State.CLAIMED, State.PLANNED, free_at=None, claimed_by=""',
        (f"{DELIVERY}::test_a_claim_that_lapses_costs_no_attempt",),
        both=True,
    ),
    Fault(
        "a mail whose worker was killed on the wire is sent again at once",
        "digest/ledger.py",
        '"uncertain": move(lapsed, State.SENDING, State.UNCERTAIN, "the worker ended during the hand-over"),',
        '"uncertain": move(lapsed, State.SENDING, State.PLANNED, "the worker ended during the hand-over"),',
        (f"{DELIVERY}::test_a_worker_killed_before_the_hand_over_costs_nothing_and_during_it_one_uncertain",),
    ),
    Fault(
        "a worker ends what another one has claimed since",
        "digest/ledger.py",
        "    rows = Digest.objects.filter(pk__any_of=ids, claimed_by__any_of=names, state=State.SENDING)",
        "    any_name = Q(claimed_by__any_of=names) | Q(attempt__gt=0)\n"
        "    rows = Digest.objects.filter(any_name, pk__any_of=ids, state=State.SENDING)",
        (f"{LEDGER}::test_an_answer_to_who_lost_a_digest_ends_nothing_of_who_has_it_now",),
        both=True,
    ),
    Fault(
        "a reader who left after planning gets the mail",
        "digest/ledger.py",
        'Exists(Subscriber.objects.active(now).filter(pk=OuterRef("subscriber"), email_hash__any_of=addresses)),',
        'Exists(Subscriber.objects.filter(pk=OuterRef("subscriber"), email_hash__any_of=addresses)),',
        (f"{DELIVERY}::test_it_sends_nothing_to_a_reader_who_left_after_planning",),
        both=True,
    ),
    Fault(
        "a mail goes to the address that the reader had at the claim",
        "digest/ledger.py",
        'filter(pk=OuterRef("subscriber"), email_hash__any_of=addresses)),',
        'filter(Q(email_hash__any_of=addresses) | Q(state="active"), pk=OuterRef("subscriber"))),',
        (f"{CONDUCTOR}::test_a_reader_who_moves_to_another_address_after_the_claim_gets_the_mail_there",),
    ),
    Fault(
        "an edition that is held is sent",
        "digest/ledger.py",
        "        ~Exists(_held_edition()),\n",
        "",
        (f"{LEDGER}::test_a_digest_of_an_edition_that_is_held_is_not_claimed_nor_marked",),
        both=True,
    ),
    Fault(
        "a lost answer is forgotten once the mail is tried again",
        "digest/ledger.py",
        '        values["perhaps_taken"] = True',
        '        values["perhaps_taken"] = False',
        (f"{PERHAPS}::test_papers_whose_first_mail_was_perhaps_taken_count_as_sent_although_the_second_is_refused",),
    ),
    Fault(
        "a connection that is lost in the middle counts as a mail that was not sent",
        "digest/delivery/hand_over.py",
        'return Outcome(State.UNCERTAIN, f"connection lost: {name}", broken=True)',
        'return Outcome(State.PLANNED, f"connection lost: {name}", broken=True)',
        (f"{DELIVERY}::test_what_the_server_says_decides",),
    ),
    Fault(
        "a copied database sends what the original sends",
        "digest/fencing.py",
        "    if owner == settings.INSTANCE_ID:",
        "    if owner:",
        (f"{FENCING}::test_a_copy_of_the_database_in_another_installation_sends_nothing_until_it_is_adopted",),
        quick=True,
    ),
    Fault(
        "the rate of mails has no upper bound after a rest",
        "digest/delivery/throttle.py",
        "tokens = min(row.tokens + elapsed * settings.MAIL_RATE, full)",
        "tokens = row.tokens + elapsed * settings.MAIL_RATE",
        ("tests/digest/test_throttle.py::test_a_rate_is_shared_and_never_holds_more_than_one_second",),
    ),
    Fault(
        "uncertain mails are sent again against the policy",
        "digest/outcomes/uncertain.py",
        'return bool(settings.UNCERTAIN_MAILS == "resend")',
        "return True",
        (f"{UNCERTAIN}::test_the_policy_or_the_transport_says_whether_it_is_sent_again",),
    ),
    Fault(
        "a day is closed while it goes on in the last zone",
        "digest/outcomes/closing.py",
        "LAST_ZONE = timedelta(hours=12)",
        "LAST_ZONE = timedelta(hours=0)",
        (f"{OUTCOMES}::test_a_day_closes_when_it_has_ended_in_the_last_zone_and_lateness_is_over",),
    ),
    Fault(
        "a skipped digest's papers count as sent when its day is closed",
        "digest/outcomes/closing.py",
        "counting = rows.counting_as_sent().filter(",
        "counting = rows.filter(",
        (f"{OUTCOMES}::test_folding_remembers_readers_by_paper_and_twice_is_harmless",),
        both=True,
    ),
    Fault(
        "the sum of a day leaves out a state",
        "digest/outcomes/sums.py",
        "    State.UNCERTAIN,\n    ledger.UNKNOWN,\n",
        "    ledger.UNKNOWN,\n",
        (f"{OUTCOMES}::test_the_sum_adds_up_in_every_mixture_of_states",),
    ),
    Fault(
        "a limit of ours that wears the code of a dead mailbox stops the reader",
        "subscriptions/answers/meanings.py",
        "and (is_full or not OF_LIMITS.search(text)):",
        "and (is_full or text):",
        ("tests/subscriptions/test_answers.py::test_a_shape_of_answer_has_its_end",),
    ),
    Fault(
        "equal refusals of many readers in a row are never about us",
        "subscriptions/answers/meanings.py",
        "EQUAL_UNEXPLAINED = 5\n",
        "EQUAL_UNEXPLAINED = 500\n",
        (f"{RELAYS}::test_equal_answers_in_a_row_that_nobody_can_explain_are_about_us",),
    ),
)
