"""Faults in bigmodel_lib/data."""

FAULTS = ()
