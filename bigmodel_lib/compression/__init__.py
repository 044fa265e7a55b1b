"""Finished models made smaller: quantization, pruning, distillation, folded norms."""
