"""Sources, which records are one work, what may be shown, and who gets which paper."""

from tests.mutations.fault import Fault

IDENTITY = "tests/digest/test_identity.py"
MERGING = "tests/digest/test_merging.py"
FRESHNESS = "tests/digest/test_freshness.py"
SELECTION = "tests/digest/test_selection.py"
PLANNING = "tests/digest/test_planning.py"
WITHDRAWALS = "tests/digest/test_withdrawals.py"
CLIENT = "tests/digest/sources/test_client.py"
GATE = "tests/digest/test_approval_gate.py"

PAPERS = (
    Fault(
        "two arXiv ids can be one work",
        "digest/identity.py",
        "        return not other_arxiv and not (paper.doi",
        "        return not (paper.doi",
        (f"{IDENTITY}::test_two_arxiv_ids_are_never_one_work_nor_two_dois",),
        quick=True,
    ),
    Fault(
        "a title that many works have makes them one",
        "digest/identity.py",
        "len(words.split()) < FEWEST_WORDS or _GENERIC.match(words):",
        "not words:",
        (f"{IDENTITY}::test_titles_that_many_works_have_make_nothing_one",),
    ),
    Fault(
        "who was sent one row of a work gets the other",
        "digest/sent.py",
        "own = [by_row[row] for row in (paper, *twins.get(paper, ())) if row in by_row]",
        "own = [by_row[row] for row in (paper,) if row in by_row]",
        (f"{MERGING}::test_nobody_who_was_sent_one_row_gets_the_other",),
    ),
    Fault(
        "a work that was taken apart is merged again by its source",
        "digest/merging.py",
        'update(merged_into=None, merged_at=None, merged_by="", stands_alone=True)',
        'update(merged_into=None, merged_at=None, merged_by="")',
        (f"{MERGING}::test_a_record_with_both_ids_makes_two_rows_one_and_an_editor_can_undo_it_for_good",),
    ),
    Fault(
        "an answer that unpacks to more than is allowed is taken",
        "digest/sources/answers.py",
        "        if max(came, len(body)) > most:",
        "        if came > most:",
        (f"{CLIENT}::test_an_answer_that_unpacks_to_something_huge_is_cut_off",),
    ),
    Fault(
        "a source may lead us to another host",
        "digest/sources/client.py",
        "(there.scheme, there.netloc) != (here.scheme, here.netloc) and not to_https:",
        'there.scheme == "ftp" and not to_https:',
        (f"{CLIENT}::test_a_redirect_to_a_login_on_another_host_is_refused",),
    ),
    Fault(
        "a source's document may declare entities",
        "digest/sources/payload.py",
        '        raise ValueError("it declares a document type")',
        "        return",
        ("tests/digest/sources/test_arxiv_oai.py::test_a_bomb_of_entities_does_not_go_off",),
    ),
    Fault(
        "a link may carry user information that looks like a host",
        "digest/addresses.py",
        'or "@" in rest.partition("/")[0] or',
        "or",
        ("tests/digest/test_links.py::test_an_address_that_misleads_is_no_link",),
    ),
    Fault(
        "a link may lead to another port",
        "digest/addresses.py",
        "    if colon and port != _DEFAULT_PORTS[scheme[1].lower()]:",
        "    if colon and not port:",
        ("tests/digest/test_links.py::test_an_address_that_misleads_is_no_link",),
    ),
    Fault(
        "a withdrawn paper stays in the mails that have not left",
        "digest/models/papers.py",
        "Paper.objects.filter(Q(withdrawn_at__isnull=False) | Q(hidden_at__isnull=False))",
        "Paper.objects.filter(hidden_at__isnull=False)",
        (
            f"{WITHDRAWALS}::test_a_paper_of_an_edition_that_arxiv_withdrew_leaves_it_and_the_mails_that_are_not_sent",
            f"{WITHDRAWALS}::test_a_mail_of_withdrawn_papers_only_is_skipped_with_its_reason",
        ),
        both=True,
    ),
    Fault(
        "a day of which half was refused is called fresh",
        "digest/freshness.py",
        "REFUSED_SHARE, FEWEST_REFUSED = 0.1, 2",
        "REFUSED_SHARE, FEWEST_REFUSED = 10, 2",
        (f"{FRESHNESS}::test_a_list_of_which_a_share_was_refused_is_partial_and_everybody_knows",),
    ),
    Fault(
        "an edition approves what came while its mail was looked at",
        "digest/approval.py",
        "    if swapped and verdict and not preflight.shown_in(edition) <= verdict.passed:",
        "    if swapped and not edition.pk:",
        (f"{GATE}::test_a_faulty_blurb_that_comes_while_the_mail_is_looked_at_does_not_slip_through",),
    ),
    Fault(
        "an edition that is held approves itself",
        "digest/approval.py",
        "    drafts = drafts.filter(held=False) if verdict else",
        "    drafts = drafts if verdict else",
        (f"{GATE}::test_an_edition_that_is_held_while_its_mail_is_looked_at_is_not_approved",),
    ),
    Fault(
        "a reader gets more papers than asked for",
        "digest/selection.py",
        "np.minimum(np.minimum(most, there), limits).astype(np.int32)",
        "np.minimum(most, there).astype(np.int32)",
        (f"{SELECTION}::test_no_pick_was_barred_and_nobody_gets_more_than_the_limit",),
    ),
    Fault(
        "a muted topic's papers come all the same",
        "digest/selection.py",
        "    keys[muted] = NEVER\n",
        "",
        (f"{SELECTION}::test_a_muted_paper_comes_only_for_an_interest_that_matches_it",),
    ),
    Fault(
        "interests do not take turns",
        "digest/selection.py",
        "own * np.uint32(turns) + np.uint32(turn))",
        "own + np.uint32(turn * 1000))",
        (f"{SELECTION}::test_interests_of_every_kind_take_turns_and_a_loud_one_drowns_nobody",),
    ),
    Fault(
        "a paper of a day that is still open comes twice",
        "digest/planning/proposals.py",
        "        barred |= menu.numbers_of(history.sent)\n",
        "        barred |= NOTHING\n",
        (f"{PLANNING}::test_nobody_gets_a_paper_twice_across_days_and_after_closing",),
    ),
    Fault(
        "a paper of a closed day comes twice",
        "digest/planning/proposals.py",
        "    barred = closed.get(reader.pk, NOTHING)\n",
        "    barred = NOTHING\n",
        (f"{PLANNING}::test_nobody_gets_a_paper_twice_across_days_and_after_closing",),
    ),
    Fault(
        "a paper with a muted word comes all the same",
        "digest/planning/proposals.py",
        "        barred |= menu.naming(text)\n",
        "        pass\n",
        ("tests/digest/test_interests.py::test_muted_words_drop_papers_also_wanted_ones",),
    ),
    Fault(
        "a preview writes to the reader's row",
        "digest/preview.py",
        "    double = as_nobody(reader)\n",
        "    double = as_nobody(reader)\n    Subscriber.objects.filter(pk=reader.pk).update(last_due_at=now)\n",
        ("tests/digest/test_preview.py::test_a_preview_is_what_planning_then_stores_and_stores_nothing_itself",),
    ),
)
