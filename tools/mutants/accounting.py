"""Faults in bigmodel_lib/accounting."""

from tools.mutants.fault import fault

FAULTS = (
    fault(
        "tied parameters counted twice",
        "accounting/parameters.py",
        "sum(p.numel() for p in model.parameters() if",
        "sum(p.numel() for _, p in model.named_parameters(remove_duplicate=False) if",
        "accounting/test_parameters.py::test_a_shared_tensor_counts_once_and_a_buffer_not_at_all",
    ),
    fault(
        "buffers counted as parameters",
        "accounting/parameters.py",
        "sum(p.numel() for p in model.parameters() if",
        "sum(p.numel() for p in [*model.parameters(), *model.buffers()] if",
        "accounting/test_parameters.py::test_a_shared_tensor_counts_once_and_a_buffer_not_at_all",
        "accounting/test_parameters.py::test_frozen_parameters_can_be_left_out",
    ),
    fault(
        "a multiplication and an addition counted as one",
        "accounting/flops.py",
        "return 2 * n_rows * d_in * d_out",
        "return n_rows * d_in * d_out",
        "accounting/test_flops.py::test_linear_matches_the_counter",
    ),
    fault(
        "attention counted without its second product",
        "accounting/flops.py",
        "return 2 * 2 * n_heads * n_queries * n_keys * d_head",
        "return 2 * n_heads * n_queries * n_keys * d_head",
        "accounting/test_flops.py::test_attention_matches_the_counter",
    ),
    fault(
        "cached keys are not read",
        "accounting/flops.py",
        "attention_flops(n_tokens, n_before + n_tokens, config.n_heads",
        "attention_flops(n_tokens, n_tokens, config.n_heads",
        "accounting/test_flops.py::test_cached_decoding_matches_the_counter",
    ),
    fault(
        "SwiGLU counted without its gate",
        "accounting/flops.py",
        "n_ff_matrices = 3 if is_llama else 2",
        "n_ff_matrices = 2",
        "accounting/test_flops.py::test_decoder_matches_the_counter",
    ),
    fault(
        "cache counted without its values",
        "accounting/memory.py",
        "return 2 * n_layers * batch * n_kv_heads",
        "return n_layers * batch * n_kv_heads",
        "accounting/test_memory.py::test_cache_of_llama_2_70b",
    ),
    fault(
        "saved tensors counted once for every use",
        "accounting/memory.py",
        "kept[_key(tensor)] = tensor.untyped_storage().nbytes()",
        "kept[len(kept)] = tensor.untyped_storage().nbytes()",
        "accounting/test_memory.py::test_saved_tensors_count_once_and_parameters_not_at_all",
    ),
    fault(
        "Adam's second mean forgotten",
        "accounting/memory.py",
        "optimizer=sum(nbytes(t) for t in states if isinstance(t, Tensor))",
        "optimizer=sum(nbytes(t) for t in states if isinstance(t, Tensor)) // 2",
        "accounting/test_memory.py::test_the_four_parts_of_a_small_network_worked_by_hand",
    ),
)
