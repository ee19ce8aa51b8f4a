// Masked trees for every instruction set. Compilers without vector extensions walk all
// trees.
#pragma once

#include <cstdint>

#include "../../src/instruction_sets.hpp"
#include "tree_forest.hpp"

namespace skdistill {
namespace trees {
// Rows whose trees are masked together.
constexpr int kBlockRows = 128;
}  // namespace trees
}  // namespace skdistill

#define SKDISTILL_ROOM skdistill::trees
#define SKDISTILL_COPIED "../runtime/src/vector_trees.hpp"
#include "../../src/each_instruction_set.hpp"

namespace skdistill {
namespace trees {

using skdistill::InstructionSet;
using skdistill::is_available;

// Null where all trees are walked.
template <class Real>
struct Masks {
    void (*rank)(const Forest&, const Real* rows, std::int64_t stride, int n_rows,
                 std::uint8_t* bins) = nullptr;
    void (*add_tree)(const Forest&, const Tree&, int n_rows, const std::uint8_t* bins,
                     double* sums) = nullptr;
};

template <class Real>
Masks<Real> masks(InstructionSet set) {
    switch (set) {
#ifdef SKDISTILL_VECTORS
        case InstructionSet::kBaseline:
            return {baseline::rank_block<Real>, baseline::mask_tree};
#endif
#ifdef SKDISTILL_X86
        case InstructionSet::kAvx2:
            return {avx2::rank_block<Real>, avx2::mask_tree};
        case InstructionSet::kAvx512:
            return {avx512::rank_block<Real>, avx512::mask_tree};
#endif
        default:
            return {};
    }
}

}  // namespace trees
}  // namespace skdistill
