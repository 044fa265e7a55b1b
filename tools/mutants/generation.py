"""Faults in bigmodel_lib/generation."""

FAULTS = ()
