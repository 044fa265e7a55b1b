"""What a page must not contain, and must: one function a rule, named as the report names it.

A rule takes a page and yields the index of a cell (None for the whole page) and a sentence.
"""
