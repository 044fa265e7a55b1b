"""Faults that this field really makes, planted one at a time to see that the tests notice.

`python -m tools.mutants` runs them all; words after it choose those whose names hold the words.
"""
