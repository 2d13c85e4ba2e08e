"""What is looked for in a mail: each module says what is wrong with one, as lines "rule: what is there"."""
