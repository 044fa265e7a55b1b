"""Faults in bigmodel_lib/models."""

FAULTS = ()
