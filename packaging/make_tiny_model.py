#!/usr/bin/env python3
"""Writes the built-in fallback model: a tiny Gemma 3 with random weights, as GGUF. Its text is noise.

  make_tiny_model.py resources/tiny-random-gemma3.gguf        needs numpy

It lets the whole program run where the real model cannot be had, and serves tests as a small valid file. The same
script gives the same bytes: fixed seed, a generator whose stream numpy has frozen (RandomState).
"""
import struct
import sys

import numpy as np

SEED = 270
HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FEED_FORWARD = 64, 6, 4, 1, 32, 128
WINDOW, CONTEXT, VOCABULARY = 64, 2048, 640
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6  # piece types as GGUF numbers them
F32, F16, Q8_0 = 0, 1, 8  # tensor types as GGUF numbers them
SPACE = "\u2581"

# What the pieces are learnt from.
TEXT = """
the gpu waits while the cpu prepares the next launch and the next launch waits while the gpu is busy
a kernel is a small program that runs on many threads at once and a stream is a queue of kernels in order
every token needs all the weights again so the memory is the limit and not the arithmetic
when the launches are slower than the kernels there are gaps in the timeline between one kernel and the other
a graph records the launches once and replays them for every token which closes most of the gaps
the pie shows how much of the time went into matrix products and how much into small elementwise operations
attention looks at the keys of the last tokens and the global layers look at all of them
this model has random weights and its text has no meaning it is here to show what a run looks like
select a range of the timeline to see the numbers of that range and compare it with another session
"""


def learn_pieces(text, count):
    """Byte-pair encoding by hand: joins the most frequent neighbours, ties by spelling, until there are enough."""
    words = {}
    for word in text.split():
        word = tuple(SPACE + word)
        words[word] = words.get(word, 0) + 1
    pieces = []
    while len(pieces) < count:
        pairs = {}
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] = pairs.get(pair, 0) + times
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        pieces.append(best[0] + best[1])
        joined = {}
        for word, times in words.items():
            out, at = [], 0
            while at < len(word):
                if word[at:at + 2] == best:
                    out.append(best[0] + best[1])
                    at += 2
                else:
                    out.append(word[at])
                    at += 1
            joined[tuple(out)] = joined.get(tuple(out), 0) + times
        words = joined
    return pieces


def vocabulary():
    """(piece, score, type) in the order of Gemma's: marks, runs of newlines and spaces, bytes, words, characters."""
    marks = [("<pad>", CONTROL), ("<eos>", CONTROL), ("<bos>", CONTROL), ("<unk>", UNKNOWN), ("<start_of_turn>", CONTROL),
             ("<end_of_turn>", CONTROL)]
    pieces = [(text, -1000.0, kind) for text, kind in marks]
    pieces += [("\n" * n, -1000.0, USER_DEFINED) for n in range(1, 5)]
    pieces += [(" " * n, -1000.0, USER_DEFINED) for n in range(2, 6)]
    pieces += [("<0x%02X>" % value, 0.0, BYTE) for value in range(256)]
    characters = [SPACE] + [chr(code) for code in range(0x21, 0x7F)]
    words = learn_pieces(TEXT, VOCABULARY - len(pieces) - len(characters))
    for rank, piece in enumerate(words + characters):
        pieces.append((piece, float(-rank), NORMAL))
    while len(pieces) < VOCABULARY:
        pieces.append(("<unused%d>" % len(pieces), -1000.0, CONTROL))
    assert len(pieces) == VOCABULARY and len({piece for piece, _, _ in pieces}) == VOCABULARY
    return pieces


def q8_0(matrix):
    """Blocks of 32: a half-precision scale and 32 signed bytes."""
    blocks = matrix.astype(np.float32).reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1) / 127).astype(np.float16)
    divisor = np.where(scale > 0, scale.astype(np.float32), 1)
    values = np.clip(np.rint(blocks / divisor[:, None]), -127, 127).astype(np.int8)
    out = np.zeros(len(blocks), dtype=[("scale", "<f2"), ("values", "i1", 32)])
    out["scale"], out["values"] = scale, values
    return out.tobytes()


def tensors(pieces):
    """(name, rows-first shape, type, bytes)"""
    random = np.random.RandomState(SEED)
    normal = lambda *shape: random.standard_normal(shape)
    out = []

    def matrix(name, rows, columns):
        out.append((name, (rows, columns), Q8_0, q8_0(normal(rows, columns) * (2.0 / columns) ** 0.5)))

    def norm(name, size, scale=1):  # GGUF holds Gemma's 1 + w
        out.append((name, (size,), F32, (scale * (1 + 0.2 * normal(size))).astype("<f4").tobytes()))

    # Short rows: with the usual length the tied output would give each token back, and the noise be one word for ever.
    embedding = normal(VOCABULARY, HIDDEN) * 0.015
    # Marks and bytes get short rows, so that the (tied) output hardly ever chooses them: the noise stays printable.
    embedding[[kind != NORMAL for _, _, kind in pieces]] *= 0.05
    out.append(("token_embd.weight", (VOCABULARY, HIDDEN), F16, embedding.astype("<f2").tobytes()))
    for layer in range(LAYERS):
        block = "blk.%d." % layer
        norm(block + "attn_norm.weight", HIDDEN)
        matrix(block + "attn_q.weight", HEADS * HEAD_DIM, HIDDEN)
        matrix(block + "attn_k.weight", KV_HEADS * HEAD_DIM, HIDDEN)
        matrix(block + "attn_v.weight", KV_HEADS * HEAD_DIM, HIDDEN)
        norm(block + "attn_q_norm.weight", HEAD_DIM)
        norm(block + "attn_k_norm.weight", HEAD_DIM)
        matrix(block + "attn_output.weight", HIDDEN, HEADS * HEAD_DIM)
        norm(block + "post_attention_norm.weight", HIDDEN)
        norm(block + "ffn_norm.weight", HIDDEN)
        matrix(block + "ffn_gate.weight", FEED_FORWARD, HIDDEN)
        matrix(block + "ffn_up.weight", FEED_FORWARD, HIDDEN)
        matrix(block + "ffn_down.weight", HIDDEN, FEED_FORWARD)
        norm(block + "post_ffw_norm.weight", HIDDEN)
    norm("output_norm.weight", HIDDEN, 20)  # makes up for the short rows: logits of the usual size
    return out


def string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def value(kind, data):
    """One metadata value with its type number."""
    number = {"u32": 4, "i32": 5, "f32": 6, "bool": 7, "string": 8}
    pack = {"u32": lambda v: struct.pack("<I", v), "i32": lambda v: struct.pack("<i", v),
            "f32": lambda v: struct.pack("<f", v), "bool": lambda v: struct.pack("<B", v), "string": string}
    if isinstance(data, list):
        return struct.pack("<IIQ", 9, number[kind], len(data)) + b"".join(pack[kind](v) for v in data)
    return struct.pack("<I", number[kind]) + pack[kind](data)


def metadata(pieces):
    return [
        ("general.architecture", "string", "gemma3"),
        ("general.type", "string", "model"),
        ("general.name", "string", "Tiny random Gemma 3"),
        ("general.description", "string", "Random weights made by packaging/make_tiny_model.py: its text is noise"),
        ("general.license", "string", "GPL-3.0-or-later"),
        ("general.tags", "string", ["random-weights", "text-generation"]),
        ("general.file_type", "u32", 7),
        ("gapscope.random_weights", "bool", True),
        ("gemma3.context_length", "u32", CONTEXT),
        ("gemma3.embedding_length", "u32", HIDDEN),
        ("gemma3.block_count", "u32", LAYERS),
        ("gemma3.feed_forward_length", "u32", FEED_FORWARD),
        ("gemma3.attention.head_count", "u32", HEADS),
        ("gemma3.attention.head_count_kv", "u32", KV_HEADS),
        ("gemma3.attention.key_length", "u32", HEAD_DIM),
        ("gemma3.attention.value_length", "u32", HEAD_DIM),
        ("gemma3.attention.layer_norm_rms_epsilon", "f32", 1e-6),
        ("gemma3.attention.sliding_window", "u32", WINDOW),
        ("gemma3.rope.freq_base", "f32", 1000000.0),
        ("tokenizer.ggml.model", "string", "llama"),
        ("tokenizer.ggml.pre", "string", "default"),
        ("tokenizer.ggml.tokens", "string", [piece for piece, _, _ in pieces]),
        ("tokenizer.ggml.scores", "f32", [score for _, score, _ in pieces]),
        ("tokenizer.ggml.token_type", "i32", [kind for _, _, kind in pieces]),
        ("tokenizer.ggml.bos_token_id", "u32", 2),
        ("tokenizer.ggml.eos_token_id", "u32", 1),
        ("tokenizer.ggml.unknown_token_id", "u32", 3),
        ("tokenizer.ggml.padding_token_id", "u32", 0),
        ("tokenizer.ggml.add_bos_token", "bool", True),
        ("tokenizer.ggml.add_eos_token", "bool", False),
        ("tokenizer.ggml.add_space_prefix", "bool", False),
    ]


def gguf():
    pieces = vocabulary()
    keys, parts = metadata(pieces), tensors(pieces)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(parts), len(keys))
    for name, kind, data in keys:
        head += string(name) + value(kind, data)
    padded = lambda data: data + b"\0" * (-len(data) % 32)
    offset, body = 0, b""
    for name, shape, kind, data in parts:
        head += string(name) + struct.pack("<I", len(shape))
        head += b"".join(struct.pack("<Q", extent) for extent in reversed(shape)) + struct.pack("<IQ", kind, offset)
        body += padded(data)
        offset = len(body)
    return padded(head) + body


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], "wb") as file:
        file.write(gguf())
