"""Faults in bigmodel_lib/accounting."""

FAULTS = ()
