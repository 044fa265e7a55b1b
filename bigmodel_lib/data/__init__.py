"""Real data that needs no network; the well-known set is one argument away."""
