#!/usr/bin/env python3
"""Writes a Gemma 3 of the real 270M or 1B shape with random weights, for measuring speed and comparing runners where the
real weights cannot be had.

  random_gemma3.py 270m|1b FOLDER [DEVIATION]       bf16, as a Hugging Face folder
  random_gemma3.py 270m|1b FILE.gguf [DEVIATION]    quantised as Q4_K_M is

Both take a text prompt: they have the vocabulary of make_tiny_model.py, made as long as the real one.
DEVIATION is that of the matrices, 0.04 unless given: peaked logits make a comparison between runners mean more, but some
inputs of down_proj are then outliers for LLM.int8(). With 0.02 none are.
Needs numpy; uses PyTorch, and its GPU, where there is one, because a thousand million random numbers take a while.
"""
import json
import struct
import sys
from pathlib import Path

HEADS, KV_HEADS, HEAD_DIM, VOCABULARY = 4, 1, 256, 262144

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


def vocabulary():
    """(piece, score, type). What is not learnt stands for itself, so that the (random) text can be seen."""
    from make_tiny_model import NORMAL, SPACE, vocabulary as learnt

    pieces = learnt()
    return pieces + [(f"{SPACE}t{number}", -1e6, NORMAL) for number in range(len(pieces), VOCABULARY)]


def sentencepiece_model():
    """The vocabulary as SentencePiece's ModelProto in protobuf's wire format: BPE without normalisation, as Google's."""
    from make_tiny_model import BYTE, CONTROL, NORMAL, SPACE, USER_DEFINED

    def varint(number):
        out = bytearray()
        while number >= 0x80:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        return bytes(out + bytes([number]))

    number = lambda field, value: varint(field * 8) + varint(value)
    text = lambda field, data: varint(field * 8 + 2) + varint(len(data)) + data
    model = bytearray()
    for index, (piece, score, kind) in enumerate(vocabulary()):
        # GGUF marks more of them as control than SentencePiece does.
        kind = CONTROL if index < 3 else USER_DEFINED if kind == CONTROL else kind
        if kind == USER_DEFINED:
            piece = piece.replace(" ", SPACE)
        score = struct.pack("<f", score if kind in (NORMAL, BYTE) else 0)
        model += text(1, text(1, piece.encode()) + varint(2 * 8 + 5) + score + number(3, kind))
    # model_type, vocab_size, split_digits, allow_whitespace_only_pieces, byte_fallback; unknown, begin, end, padding
    trainer = [(3, 2), (4, VOCABULARY), (21, 1), (22, 0), (23, 1), (25, 1), (26, 1), (35, 1), (40, 3), (41, 2), (42, 1), (43, 0)]
    model += text(2, b"".join(number(field, value) for field, value in trainer))
    normalizer = text(1, b"identity") + number(3, 0) + number(4, 0) + number(5, 1)
    return bytes(model + text(3, normalizer))


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    deviation = float(sys.argv[3]) if len(sys.argv) == 4 else 0.04
    shape, out = SHAPES[sys.argv[1]], Path(sys.argv[2])
    if out.suffix == ".gguf":
        write_gguf(shape, sys.argv[1].upper(), out, deviation)
    else:
        write_folder(shape, out, deviation)


def write_folder(shape, folder, deviation):
    hidden, feed_forward, layers = shape["hidden_size"], shape["intermediate_size"], shape["num_hidden_layers"]
    config = dict(
        shape,
        architectures=["Gemma3ForCausalLM"], model_type="gemma3_text", vocab_size=VOCABULARY, torch_dtype="bfloat16",
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD_DIM, max_position_embeddings=32768,
        sliding_window=512, sliding_window_pattern=6, query_pre_attn_scalar=256, rms_norm_eps=1e-6,
        rope_theta=1000000, rope_local_base_freq=10000, rope_scaling=None, hidden_activation="gelu_pytorch_tanh",
        attention_bias=False, attn_logit_softcapping=None, final_logit_softcapping=None, tie_word_embeddings=True,
        bos_token_id=2, eos_token_id=[1, 106], pad_token_id=0,
    )
    tensors = [("model.embed_tokens.weight", (VOCABULARY, hidden)), ("model.norm.weight", (hidden,))]
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        tensors += [
            (prefix + name, size)
            for name, size in [
                ("input_layernorm.weight", (hidden,)),
                ("self_attn.q_proj.weight", (HEADS * HEAD_DIM, hidden)),
                ("self_attn.k_proj.weight", (KV_HEADS * HEAD_DIM, hidden)),
                ("self_attn.v_proj.weight", (KV_HEADS * HEAD_DIM, hidden)),
                ("self_attn.q_norm.weight", (HEAD_DIM,)),
                ("self_attn.k_norm.weight", (HEAD_DIM,)),
                ("self_attn.o_proj.weight", (hidden, HEADS * HEAD_DIM)),
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
    (folder / "tokenizer.model").write_bytes(sentencepiece_model())
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for seed, (name, size) in enumerate(tensors):
            scale = 0.1 if len(size) == 1 else deviation  # norms multiply by 1 + w
            file.write(random_bf16(size[0] * (size[1] if len(size) > 1 else 1), scale, seed))


# GGUF's number of a type, values and bytes of a block.
F32, Q5_0, Q8_0, Q4_K, Q6_K = (0, 1, 4), (6, 32, 22), (8, 32, 34), (12, 256, 144), (14, 256, 210)


def random_blocks(kind, count, deviation, random):
    """Bytes of `count` values in blocks of random bits, with scales that give the values about that deviation and no
    mean. Halves lie where each type has its scales."""
    import numpy

    _, values, size = kind
    blocks = random.integers(0, 256, (count // values, size), dtype=numpy.uint8)
    half = lambda number: numpy.frombuffer(numpy.float16(number).tobytes(), dtype=numpy.uint8)
    if kind == Q8_0:
        blocks[:, :2] = half(deviation / 74)  # that of a signed byte
    elif kind == Q5_0:
        blocks[:, :2] = half(deviation / 9.2)
    elif kind == Q4_K:
        blocks[:, :2], blocks[:, 2:4] = half(deviation / 260), half(deviation / 260 * 7.5)
    elif kind == Q6_K:
        blocks[:, 208:] = half(deviation / 1370)
    return blocks.tobytes()


def write_gguf(shape, size_label, path, deviation):
    import numpy

    from make_tiny_model import string, value

    hidden, feed_forward, layers = shape["hidden_size"], shape["intermediate_size"], shape["num_hidden_layers"]
    pieces = vocabulary()
    keys = [
        ("general.architecture", "string", "gemma3"), ("general.type", "string", "model"),
        ("general.name", "string", f"Gemma 3 {size_label} (random weights)"), ("general.file_type", "u32", 15),
        ("gapscope.random_weights", "bool", True),
        ("gemma3.context_length", "u32", 32768), ("gemma3.embedding_length", "u32", hidden),
        ("gemma3.block_count", "u32", layers), ("gemma3.feed_forward_length", "u32", feed_forward),
        ("gemma3.attention.head_count", "u32", HEADS), ("gemma3.attention.head_count_kv", "u32", KV_HEADS),
        ("gemma3.attention.key_length", "u32", HEAD_DIM), ("gemma3.attention.value_length", "u32", HEAD_DIM),
        ("gemma3.attention.layer_norm_rms_epsilon", "f32", 1e-6), ("gemma3.attention.sliding_window", "u32", 512),
        ("gemma3.rope.freq_base", "f32", 1000000.0),
        ("tokenizer.ggml.model", "string", "llama"), ("tokenizer.ggml.pre", "string", "default"),
        ("tokenizer.ggml.tokens", "string", [piece for piece, _, _ in pieces]),
        ("tokenizer.ggml.scores", "f32", [score for _, score, _ in pieces]),
        ("tokenizer.ggml.token_type", "i32", [kind for _, _, kind in pieces]),
        ("tokenizer.ggml.bos_token_id", "u32", 2), ("tokenizer.ggml.eos_token_id", "u32", 1),
        ("tokenizer.ggml.unknown_token_id", "u32", 3), ("tokenizer.ggml.padding_token_id", "u32", 0),
        ("tokenizer.ggml.add_bos_token", "bool", True), ("tokenizer.ggml.add_space_prefix", "bool", False),
    ]
    # The types that llama.cpp gives such a model as Q4_K_M: Q5_0 and Q8_0 where rows are no multiple of 256, more bits
    # for the values and the way down of every other layer.
    super_blocks = lambda columns, kind, other: kind if columns % 256 == 0 else other
    tensors = [("token_embd.weight", (VOCABULARY, hidden), super_blocks(hidden, Q6_K, Q8_0)), ("output_norm.weight", (hidden,), F32)]
    for layer in range(layers):
        low, high = (Q6_K, Q8_0) if layer % 2 else (Q4_K, Q5_0)
        tensors += [
            (f"blk.{layer}.{name}.weight", extents, kind)
            for name, extents, kind in [
                ("attn_norm", (hidden,), F32),
                ("attn_q", (HEADS * HEAD_DIM, hidden), super_blocks(hidden, Q4_K, Q5_0)),
                ("attn_k", (KV_HEADS * HEAD_DIM, hidden), super_blocks(hidden, Q4_K, Q5_0)),
                ("attn_v", (KV_HEADS * HEAD_DIM, hidden), super_blocks(hidden, low, high)),
                ("attn_q_norm", (HEAD_DIM,), F32),
                ("attn_k_norm", (HEAD_DIM,), F32),
                ("attn_output", (hidden, HEADS * HEAD_DIM), Q4_K),
                ("post_attention_norm", (hidden,), F32),
                ("ffn_norm", (hidden,), F32),
                ("ffn_gate", (feed_forward, hidden), super_blocks(hidden, Q4_K, Q5_0)),
                ("ffn_up", (feed_forward, hidden), super_blocks(hidden, Q4_K, Q5_0)),
                ("ffn_down", (hidden, feed_forward), super_blocks(feed_forward, low, high)),
                ("post_ffw_norm", (hidden,), F32),
            ]
        ]
    padding = lambda length: -length % 32
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(string(name) + value(kind, data) for name, kind, data in keys)
    offset = 0
    for name, extents, (number, values, size) in tensors:
        head += string(name) + struct.pack("<I", len(extents))
        head += b"".join(struct.pack("<Q", extent) for extent in reversed(extents)) + struct.pack("<IQ", number, offset)
        length = int(numpy.prod(extents)) // values * size
        offset += length + padding(length)
    random = numpy.random.default_rng(270)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(head + b"\0" * padding(len(head)))
        for name, extents, kind in tensors:
            count = int(numpy.prod(extents))
            if kind == F32:  # GGUF holds Gemma's 1 + w
                data = (1 + 0.1 * random.standard_normal(count)).astype("<f4").tobytes()
            else:
                data = random_blocks(kind, count, deviation, random)
            file.write(data + b"\0" * padding(len(data)))


if __name__ == "__main__":
    main()
