"""What stands in a mail: escaping, headers, size, and that the fast way prints what the slow one makes."""

from tests.mutations.fault import Fault

RENDERING = "tests/digest/test_rendering.py"
PRESS = "tests/digest/press/test_press.py"
BATCHES = "tests/digest/press/test_batches.py"
EMAILS = "tests/subscriptions/test_emails.py"

MAILS = (
    Fault(
        "markup in a title is markup in the mail",
        "templates/emails/digest/paper.html",
        "{{ n }}. {{ item.title_html }}</a></h2>",
        "{{ n }}. {{ item.title|safe }}</a></h2>",
        (f"{RENDERING}::test_markup_in_a_paper_is_text_in_the_mail",),
        quick=True,
    ),
    Fault(
        "a reader's own words are markup in the mail",
        "templates/emails/digest/paper.html",
        "{% endif %}{{ item.why }}<br>",
        "{% endif %}{{ item.why|safe }}<br>",
        (f"{RENDERING}::test_no_words_of_a_reader_break_the_mail_or_become_markup",),
    ),
    Fault(
        "a title with a line break gets into the headers",
        "subscriptions/emails.py",
        'subject = " ".join(render_to_string(f"emails/{name}/subject.txt", context, using="text").split())',
        'subject = render_to_string(f"emails/{name}/subject.txt", context, using="text")',
        ("tests/digest/press/test_odd_words.py::test_no_line_break_gets_into_the_headers",),
    ),
    Fault(
        "encoded words of a subject are longer than a line may be",
        "subscriptions/emails.py",
        "(length - 10 for length in maxlengths)",
        "(length + 40 for length in maxlengths)",
        (f"{EMAILS}::test_encoded_words_of_a_subject_are_as_short_as_they_must_be",),
    ),
    Fault(
        "mails go over the wire in eight bits",
        "subscriptions/emails.py",
        "    message.encoding = shorter_encoding(mail.html or str(message.body))\n",
        "",
        (f"{RENDERING}::test_nothing_is_8bit_and_no_line_is_too_long",),
    ),
    Fault(
        "providers are not told of one-click unsubscribe",
        "subscriptions/emails.py",
        '            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",\n',
        "",
        (f"{RENDERING}::test_the_headers_are_those_of_a_list_with_one_click_unsubscribe",),
        quick=True,
    ),
    Fault(
        "a way out by mail is named where nobody reads it",
        "subscriptions/emails.py",
        "    if not settings.UNSUBSCRIBE_MAILTO:\n        return [url]\n",
        "",
        (f"{EMAILS}::test_one_way_out_unless_a_mailbox_for_leaving_is_set",),
    ),
    Fault(
        "a second try of a mail has another Message-ID",
        "digest/rendering/press.py",
        "name_of(f'digest-{digest.pk}', digest.planned_at)",
        "name_of(f'digest-{digest.pk}', now)",
        ("tests/digest/test_message_ids.py::test_a_digest_keeps_its_id_at_every_try_and_whatever_becomes_of_its_row",),
    ),
    Fault(
        "a long mail is cut by its provider, footer first",
        "digest/rendering/message.py",
        "ROOM, ROOM_ON_THE_WIRE = 80_000, 95_000",
        "ROOM, ROOM_ON_THE_WIRE = 800_000, 950_000",
        ("tests/digest/press/test_room.py::test_every_mail_has_room_and_every_paper_is_in_it_or_counted",),
    ),
    Fault(
        "the press prints the papers that are left out",
        "digest/rendering/press.py",
        "        picks = shown_picks(digest, shelf, without)\n",
        "        picks = shown_picks(digest, shelf, ())\n",
        (f"{PRESS}::test_papers_left_out_close_up",),
    ),
    Fault(
        "the press prints links to settings where feedback's belong",
        "digest/rendering/press.py",
        'b"feedback": Purpose.FEEDBACK,',
        'b"feedback": Purpose.MANAGE,',
        (f"{PRESS}::test_a_digest_of_any_size_is_printed_as_it_is_made",),
    ),
    Fault(
        "readers of text and readers of HTML share a batch",
        "digest/rendering/press.py",
        "(subscriber.language, subscriber.text_only, subscriber.next_due_at is None),",
        "(subscriber.language, subscriber.next_due_at is None),",
        (f"{BATCHES}::test_digests_that_differ_are_not_alike",),
    ),
)
