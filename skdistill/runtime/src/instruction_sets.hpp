// The blocks of every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "../../src/instruction_sets.hpp"
#include "packed.hpp"

#define SKDISTILL_ROOM skdistill::runtime
#define SKDISTILL_COPIED "../runtime/src/vector_blocks.hpp"
#include "../../src/each_instruction_set.hpp"

namespace skdistill {
namespace runtime {

using skdistill::InstructionSet;
using skdistill::is_available;

// Scores a block of rows; null for the portable rows, which take the network as it is.
template <class In>
using BlockFunction = void (*)(const Packed&, const In* values, int n_rows, Wanted,
                               void* out, const Workspace&);

template <class In>
BlockFunction<In> block_function(InstructionSet set) {
    switch (set) {
#ifdef SKDISTILL_VECTORS
        case InstructionSet::kBaseline:
            return baseline::score_block<In>;
#endif
#ifdef SKDISTILL_X86
        case InstructionSet::kAvx2:
            return avx2::score_block<In>;
        case InstructionSet::kAvx512:
            return avx512::score_block<In>;
#endif
        default:
            return nullptr;
    }
}

inline Shape shape(InstructionSet set) {
    switch (set) {
#ifdef SKDISTILL_X86
        case InstructionSet::kAvx2:
            return avx2::kShape;
        case InstructionSet::kAvx512:
            return avx512::kShape;
#endif
#ifdef SKDISTILL_VECTORS
        default:
            return baseline::kShape;
#else
        default:
            return {4, kUnitPadding, kUnitPadding};
#endif
    }
}

}  // namespace runtime
}  // namespace skdistill
