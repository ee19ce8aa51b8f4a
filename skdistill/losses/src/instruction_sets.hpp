// The row loops of every instruction set, and which of them this machine runs.
//
// The same headers are compiled once per instruction set, each time in a namespace
// of its own: nothing in them may be shared by the linker, or a machine without
// AVX-512 might be given the copy that needs it. Compilers without vector
// extensions, such as MSVC, get the portable rows alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "problem.hpp"
#include "scalar_rows.hpp"

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
namespace baseline {
#include "vector_rows.hpp"
}
}  // namespace skdistill
#undef SKDISTILL_VECTOR_BYTES
#endif

#ifdef SKDISTILL_X86
#define SKDISTILL_VECTOR_BYTES 32
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace skdistill {
namespace avx2 {
#include "vector_rows.hpp"
}
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
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,fma")
#endif
namespace skdistill {
namespace avx512 {
#include "vector_rows.hpp"
}
}  // namespace skdistill
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef SKDISTILL_VECTOR_BYTES
#endif

namespace skdistill {

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
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case InstructionSet::kAvx512:
            return __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma");
#endif
        default:
            return false;
    }
}

// What an instruction set computes: rows begin..end-1 of a problem, and for the
// tests exp and log of arrays.
template <class Real>
struct Implementation {
    SoftTargetResult (*rows)(const SoftTargetProblem<Real>&, std::int64_t begin,
                             std::int64_t end);
    void (*exponentials)(const Real* from, Real* to, std::int64_t n);
    void (*logarithms)(const Real* from, Real* to, std::int64_t n);
};

template <class Real>
Implementation<Real> implementation(InstructionSet set) {
    switch (set) {
#ifdef SKDISTILL_VECTORS
        case InstructionSet::kBaseline:
            return {baseline::rows<Real>, baseline::map_exponentials<Real>,
                    baseline::map_logarithms<Real>};
#endif
#ifdef SKDISTILL_X86
        case InstructionSet::kAvx2:
            return {avx2::rows<Real>, avx2::map_exponentials<Real>,
                    avx2::map_logarithms<Real>};
        case InstructionSet::kAvx512:
            return {avx512::rows<Real>, avx512::map_exponentials<Real>,
                    avx512::map_logarithms<Real>};
#endif
        default:
            return {scalar::rows<Real>, scalar::exponentials<Real>,
                    scalar::logarithms<Real>};
    }
}

}  // namespace skdistill
