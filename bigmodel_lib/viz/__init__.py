"""Pictures of arrays and listings of source: one style, light and dark."""
