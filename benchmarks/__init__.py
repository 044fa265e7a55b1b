"""How fast the library is, measured against the packages that people would otherwise use."""
