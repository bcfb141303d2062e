// A vocabulary found in a GGUF as the bytes of a SentencePiece model, so that the sentencepiece library can do the
// tokenising. Only the handful of protobuf fields that this needs are written.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/runner/tokenizer.h"

namespace gapscope {

Result<std::string> sentencePieceModelFrom(const GgufVocabulary& vocabulary);

}  // namespace gapscope
