// Masked trees for every instruction set, and which of them this machine runs.
//
// The same headers are compiled once per instruction set, each time in a namespace
// of its own: nothing in them may be shared by the linker, or a machine without
// AVX-512 might be given the copy that needs it. Compilers without vector extensions,
// such as MSVC, walk all trees.
#pragma once

#include <cstdint>

#include "tree_forest.hpp"

#if defined(__GNUC__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SKDISTILL_TREE_VECTORS 1
#if defined(__x86_64__)
#define SKDISTILL_TREE_X86 1
#include <immintrin.h>
#endif
#endif
#endif

namespace skdistill {
namespace trees {
// Rows whose trees are masked together.
constexpr int kBlockRows = 128;
}  // namespace trees
}  // namespace skdistill

#ifdef SKDISTILL_TREE_VECTORS
#define SKDISTILL_TREE_INLINE static inline __attribute__((always_inline))

#define SKDISTILL_TREE_BYTES 16
namespace skdistill {
namespace trees {
namespace baseline {
#include "tree_masks.hpp"
#include "tree_ranks.hpp"
}  // namespace baseline
}  // namespace trees
}  // namespace skdistill
#undef SKDISTILL_TREE_BYTES
#endif

#ifdef SKDISTILL_TREE_X86
#define SKDISTILL_TREE_BYTES 32
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
namespace skdistill {
namespace trees {
namespace avx2 {
#include "tree_masks.hpp"
#include "tree_ranks.hpp"
}  // namespace avx2
}  // namespace trees
}  // namespace skdistill
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef SKDISTILL_TREE_BYTES

#define SKDISTILL_TREE_BYTES 64
#ifdef __clang__
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512")
#endif
namespace skdistill {
namespace trees {
namespace avx512 {
#include "tree_masks.hpp"
#include "tree_ranks.hpp"
}  // namespace avx512
}  // namespace trees
}  // namespace skdistill
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef SKDISTILL_TREE_BYTES
#endif

namespace skdistill {
namespace trees {

// In ascending order of preference.
enum class InstructionSet : int { kPortable, kBaseline, kAvx2, kAvx512 };

inline bool is_available(InstructionSet set) {
    switch (set) {
        case InstructionSet::kPortable:
            return true;
#ifdef SKDISTILL_TREE_VECTORS
        case InstructionSet::kBaseline:
            return true;
#endif
#ifdef SKDISTILL_TREE_X86
        case InstructionSet::kAvx2:
            return __builtin_cpu_supports("avx2");
        case InstructionSet::kAvx512:
            return __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512bw");
#endif
        default:
            return false;
    }
}

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
#ifdef SKDISTILL_TREE_VECTORS
        case InstructionSet::kBaseline:
            return {baseline::rank_block<Real>, baseline::mask_tree};
#endif
#ifdef SKDISTILL_TREE_X86
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
