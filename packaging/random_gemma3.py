#!/usr/bin/env python3
"""Writes a Gemma 3 of the real 270M or 1B shape with random bf16 weights, as a Hugging Face folder without tokenizer.

For measuring speed and comparing runners where the real weights cannot be had: random_gemma3.py 1b FOLDER [DEVIATION]
DEVIATION is that of the matrices, 0.04 unless given: peaked logits make a comparison between runners mean more, but some
inputs of down_proj are then outliers for LLM.int8(). With 0.02 none are.
Needs numpy; uses PyTorch, and its GPU, where there is one, because a thousand million random numbers take a while.
"""
import json
import struct
import sys
from pathlib import Path

SHAPES = {
    "270m": dict(hidden_size=640, intermediate_size=2048, num_hidden_layers=18),
    "1b": dict(hidden_size=1152, intermediate_size=6912, num_hidden_layers=26),
}


def random_bf16(count, scale, seed):
    """Bytes of `count` normal numbers in bf16."""
    try:
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        generator = torch.Generator(device=device).manual_seed(seed)
        values = torch.randn(count, generator=generator, device=device, dtype=torch.float32) * scale
        return values.to(torch.bfloat16).view(torch.int16).cpu().numpy().tobytes()
    except ImportError:
        import numpy

        values = numpy.random.default_rng(seed).standard_normal(count, dtype=numpy.float32) * numpy.float32(scale)
        bits = values.view(numpy.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16).tobytes()


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in SHAPES:
        sys.exit("random_gemma3.py 270m|1b FOLDER [DEVIATION]")
    deviation = float(sys.argv[3]) if len(sys.argv) == 4 else 0.04
    shape, folder = SHAPES[sys.argv[1]], Path(sys.argv[2])
    hidden, feed_forward, layers = shape["hidden_size"], shape["intermediate_size"], shape["num_hidden_layers"]
    heads, kv_heads, head_dim, vocabulary = 4, 1, 256, 262144
    config = dict(
        shape,
        architectures=["Gemma3ForCausalLM"], model_type="gemma3_text", vocab_size=vocabulary, torch_dtype="bfloat16",
        num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=head_dim, max_position_embeddings=32768,
        sliding_window=512, sliding_window_pattern=6, query_pre_attn_scalar=256, rms_norm_eps=1e-6,
        rope_theta=1000000, rope_local_base_freq=10000, rope_scaling=None, hidden_activation="gelu_pytorch_tanh",
        attention_bias=False, attn_logit_softcapping=None, final_logit_softcapping=None, tie_word_embeddings=True,
        bos_token_id=2, eos_token_id=[1, 106], pad_token_id=0,
    )
    tensors = [("model.embed_tokens.weight", (vocabulary, hidden)), ("model.norm.weight", (hidden,))]
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        tensors += [
            (prefix + name, size)
            for name, size in [
                ("input_layernorm.weight", (hidden,)),
                ("self_attn.q_proj.weight", (heads * head_dim, hidden)),
                ("self_attn.k_proj.weight", (kv_heads * head_dim, hidden)),
                ("self_attn.v_proj.weight", (kv_heads * head_dim, hidden)),
                ("self_attn.q_norm.weight", (head_dim,)),
                ("self_attn.k_norm.weight", (head_dim,)),
                ("self_attn.o_proj.weight", (hidden, heads * head_dim)),
                ("post_attention_layernorm.weight", (hidden,)),
                ("pre_feedforward_layernorm.weight", (hidden,)),
                ("mlp.gate_proj.weight", (feed_forward, hidden)),
                ("mlp.up_proj.weight", (feed_forward, hidden)),
                ("mlp.down_proj.weight", (hidden, feed_forward)),
                ("post_feedforward_layernorm.weight", (hidden,)),
            ]
        ]
    header, offset = {}, 0
    for name, size in tensors:
        count = size[0] * (size[1] if len(size) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": list(size), "data_offsets": [offset, offset + 2 * count]}
        offset += 2 * count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for seed, (name, size) in enumerate(tensors):
            scale = 0.1 if len(size) == 1 else deviation  # norms multiply by 1 + w
            file.write(random_bf16(size[0] * (size[1] if len(size) > 1 else 1), scale, seed))


if __name__ == "__main__":
    main()
