"""Faults in bigmodel_lib/weights."""

FAULTS = ()
