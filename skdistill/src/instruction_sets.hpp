// The instruction sets that compiled code is there for, and which of them this machine
// runs. Compilers without vector extensions, such as MSVC, get portable code alone.
#pragma once

#if defined(__GNUC__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SKDISTILL_VECTORS 1
#define SKDISTILL_INLINE static inline __attribute__((always_inline))
#define SKDISTILL_MEMBER inline __attribute__((always_inline))
#define SKDISTILL_OUTLINE static __attribute__((noinline))
#if defined(__x86_64__)
#define SKDISTILL_X86 1
#include <immintrin.h>
#endif
#endif
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

}  // namespace skdistill
