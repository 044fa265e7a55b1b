"""How a model learns: objectives, optimizers, schedules, the loop, checkpoints."""
