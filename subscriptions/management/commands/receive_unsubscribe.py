from subscriptions.management.commands import receive_mail


class Command(receive_mail.Command):
    help = "The former name of receive_mail, for mail servers that are set up with it."
