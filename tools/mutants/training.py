"""Faults in bigmodel_lib/training."""

FAULTS = ()
