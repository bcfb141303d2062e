"""llama.cpp as the peer of our benches, through llama-cpp-python: prompt in, logits after each token out."""
import ctypes
import time

import llama_cpp
import numpy as np


class Peer:
    def __init__(self, model, threads, context):
        self.llama = llama_cpp.Llama(model_path=model, n_threads=threads, n_threads_batch=threads, n_ctx=context,
                                     verbose=False)
        self.vocabulary = self.llama.n_vocab()

    def _logits(self):
        pointer = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        return np.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float)), (self.vocabulary,))

    def forced(self, prompt, tokens):
        """Logits at the last prompt position and after each of `tokens`."""
        self.llama.reset()
        self.llama.eval(prompt)
        rows = [self._logits().copy()]
        for token in tokens:
            self.llama.eval([token])
            rows.append(self._logits().copy())
        return rows

    def decode_seconds(self, prompt, count):
        """Greedy: seconds from the first new token to the last of `count`, and the tokens."""
        self.llama.reset()
        self.llama.eval(prompt)
        tokens = [int(self._logits().argmax())]
        begin = time.perf_counter()
        while len(tokens) < count:
            self.llama.eval([tokens[-1]])
            tokens.append(int(self._logits().argmax()))
        return time.perf_counter() - begin, tokens

    def prefill_seconds(self, prompt):
        """Seconds until the logits after the prompt are there."""
        self.llama.reset()
        begin = time.perf_counter()
        self.llama.eval(prompt)
        self._logits()
        return time.perf_counter() - begin
