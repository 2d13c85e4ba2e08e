"""Everything on one machine with one command: sample papers, made-up readers, a clock on the sample day's morning."""
