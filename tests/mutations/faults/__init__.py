"""All seeded faults, by the room of the house that they are in."""

from tests.mutations.faults.mails import MAILS
from tests.mutations.faults.papers import PAPERS
from tests.mutations.faults.readers import READERS
from tests.mutations.faults.safety import SAFETY
from tests.mutations.faults.sending import SENDING

FAULTS = (*SENDING, *READERS, *SAFETY, *PAPERS, *MAILS)
