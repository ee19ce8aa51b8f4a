// The blocks of every instruction set, and which of them this machine runs.
//
// As in losses/src/instruction_sets.hpp: each copy in a namespace of its own, with
// nothing in it that the linker would share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "packed.hpp"

#if defined(__GNUC__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SKDISTILL_VECTORS 1
#if defined(__x86_64__)
#define SKDISTILL_X86 1
#include <immintrin.h>
#endif
#endif
#endif

#ifdef SKDISTILL_VECTORS
#define SKDISTILL_INLINE static inline __attribute__((always_inline))
#define SKDISTILL_MEMBER inline __attribute__((always_inline))
#define SKDISTILL_OUTLINE static __attribute__((noinline))

#define SKDISTILL_VECTOR_BYTES 16
namespace skdistill {
namespace runtime {
namespace baseline {
#include "vector_blocks.hpp"
}
}  // namespace runtime
}  // namespace skdistill
#undef SKDISTILL_VECTOR_BYTES
#endif

#ifdef SKDISTILL_X86
#define SKDISTILL_VECTOR_BYTES 32
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,popcnt"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,popcnt")
#endif
namespace skdistill {
namespace runtime {
namespace avx2 {
#include "vector_blocks.hpp"
}
}  // namespace runtime
}  // namespace skdistill
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef SKDISTILL_VECTOR_BYTES

#define SKDISTILL_VECTOR_BYTES 64
#ifdef __clang__
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma,popcnt"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,fma,popcnt")
#endif
namespace skdistill {
namespace runtime {
namespace avx512 {
#include "vector_blocks.hpp"
}
}  // namespace runtime
}  // namespace skdistill
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef SKDISTILL_VECTOR_BYTES
#endif

namespace skdistill {
namespace runtime {

// In ascending order of preference.
enum class InstructionSet : int { kPortable, kBaseline, kAvx2, kAvx512 };

inline bool is_available(InstructionSet set) {
    switch (set) {
        case InstructionSet::kPortable:
            return true;
#ifdef SKDISTILL_VECTORS
        case InstructionSet::kBaseline:
            return true;
#endif
#ifdef SKDISTILL_X86
        case InstructionSet::kAvx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                   __builtin_cpu_supports("popcnt");
        case InstructionSet::kAvx512:
            return __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
#endif
        default:
            return false;
    }
}

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
