"""Other people's language models, of the same sizes and, where the layout is known, same weights.

The shape is that of the targets: 6 layers, width 384, 6 heads, 4,096 tokens.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bigmodel_lib.configs.gpt import GPTConfig
from bigmodel_lib.configs.llama import LlamaConfig
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama
from bigmodel_lib.weights import gpt as gpt_files
from bigmodel_lib.weights import llama as llama_files
from bigmodel_lib.weights.links import Link, to_theirs

V, D, H, L, MAX_LEN = 4_096, 384, 6, 6, 256
GPT_SHAPE = GPTConfig(vocab_size=V, max_len=MAX_LEN, n_layers=L, n_heads=H, d_model=D, d_ff=4 * D)
LLAMA_SHAPE = LlamaConfig(
    vocab_size=V, max_len=MAX_LEN, n_layers=L, n_heads=H, n_kv_heads=H, d_model=D, d_ff=1_024
)


def transformers_gpt(ours: GPT) -> nn.Module:
    """GPT-2 of `transformers`, with fused attention and the weights of `ours`."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = gpt_files.write_config(ours.config) | {"bos_token_id": None, "eos_token_id": None}
    theirs = GPT2LMHeadModel(GPT2Config(**sizes, attn_implementation="sdpa"))
    return _load(theirs, ours, gpt_files.links(ours), skipped=("lm_head.weight",))


def transformers_llama(ours: Llama) -> nn.Module:
    """Llama of `transformers`, with fused attention and the weights of `ours`."""
    from transformers import LlamaConfig as TheirConfig
    from transformers import LlamaForCausalLM

    sizes = llama_files.write_config(ours.config) | {"bos_token_id": None, "eos_token_id": None}
    theirs = LlamaForCausalLM(TheirConfig(**sizes, attn_implementation="sdpa"))
    return _load(theirs, ours, llama_files.links(ours))


def litgpt_llama(ours: Llama) -> nn.Module:
    """Llama of `litgpt`, with the weights of `ours`."""
    import litgpt

    c = ours.config
    theirs = litgpt.GPT(
        litgpt.Config(
            block_size=c.max_len, n_layer=c.n_layers, n_embd=c.d_model, n_head=c.n_heads,
            n_query_groups=c.n_kv_heads, vocab_size=c.vocab_size, padded_vocab_size=c.vocab_size,
            norm_class_name="RMSNorm", norm_eps=c.norm_eps, mlp_class_name="LLaMAMLP",
            intermediate_size=c.d_ff, bias=False, parallel_residual=False, rotary_percentage=1.0,
            rope_base=int(c.theta),
        )
    )  # fmt: skip
    state = {
        "transformer.wte.weight": ours.token_embed.weight,
        "transformer.ln_f.weight": ours.norm.weight,
        "lm_head.weight": ours.to_logits.weight,
    }
    for i, block in enumerate(ours.blocks):
        gate, up = block.ff.to_gate_up.weight.chunk(2)
        state |= {
            f"transformer.h.{i}.{name}.weight": tensor
            for name, tensor in {
                "norm_1": block.norm_attn.weight, "attn.qkv": block.attn.to_qkv.weight,
                "attn.proj": block.attn.to_out.weight, "norm_2": block.norm_ff.weight,
                "mlp.fc_1": gate, "mlp.fc_2": up, "mlp.proj": block.ff.down.weight,
            }.items()
        }  # fmt: skip
    theirs.load_state_dict(state)
    return theirs


def x_transformers(*, llama: bool, exact_gelu: bool = False) -> nn.Module:
    """A decoder of `x-transformers` of the same shape, with weights of its own.

    As a GPT it gets GPT-2's GELU, which takes longer than the exact one that it has by itself.
    Attention has no biases there, and the norms add none.
    """
    from x_transformers import Decoder, TransformerWrapper

    common = {"dim": D, "depth": L, "heads": H, "attn_dim_head": D // H, "attn_flash": True}
    style: dict[str, Any] = (
        {"rotary_pos_emb": True, "rotary_emb_dim": D // H, "use_rmsnorm": True, "ff_swish": True,
         "ff_glu": True, "ff_no_bias": True, "ff_mult": LLAMA_SHAPE.d_ff / D}
        if llama
        else {"ff_mult": 4, "ff_custom_activation": nn.GELU("none" if exact_gelu else "tanh")}
    )  # fmt: skip
    return TransformerWrapper(
        num_tokens=V,
        max_seq_len=MAX_LEN,
        use_abs_pos_emb=not llama,
        tie_embedding=not llama,
        attn_layers=Decoder(**common, **style),
    )


def installed(
    builders: dict[str, Callable[[], nn.Module]],
) -> tuple[dict[str, nn.Module], list[str]]:
    """Build those peers whose package is there; name the others."""
    models, left_out = {}, []
    for name, build in builders.items():
        try:
            models[name] = build()
        except ImportError:
            left_out.append(name)
    return models, left_out


def logits_of(output: Any) -> Tensor:
    """The logits in what a model returns."""
    return output if isinstance(output, Tensor) else output.logits


def loss_of(model: nn.Module, tokens: Tensor) -> Tensor:
    """Next-token loss of any of the models, in the plainest way."""
    logits = logits_of(model(tokens[:, :-1]))
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def _let_torchvision_load() -> None:
    """Make timm and transformers importable beside a torchvision built for CUDA.

    It cannot load its operators beside a CPU's PyTorch, and then fails to describe two of them.
    They find boxes in pictures; no model here uses them.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for module in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
            del sys.modules[module]
        for name in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{name}", "(Tensor dets, Tensor scores, float threshold) -> Tensor"
            )


if find_spec("torchvision"):
    _let_torchvision_load()


def _load(
    theirs: nn.Module, ours: nn.Module, links: Sequence[Link], skipped: tuple[str, ...] = ()
) -> nn.Module:
    state = to_theirs(ours.state_dict(), links)
    missing, unexpected = theirs.load_state_dict(state, strict=False)
    assert not unexpected, unexpected
    assert set(missing) <= set(skipped), missing
    return theirs
