// Compiles the header SKDISTILL_COPIED once per instruction set, in the namespaces
// baseline, avx2 and avx512 of SKDISTILL_ROOM, for vectors of SKDISTILL_VECTOR_BYTES.
// No guard: every kernel includes it with a header of its own.
//
// Each copy is in a namespace of its own, and nothing in it may be shared by the
// linker, or a machine without AVX-512 might be given the copy that needs it.

#ifdef SKDISTILL_VECTORS
#define SKDISTILL_VECTOR_BYTES 16
namespace SKDISTILL_ROOM {
namespace baseline {
#include SKDISTILL_COPIED
}
}  // namespace SKDISTILL_ROOM
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
namespace SKDISTILL_ROOM {
namespace avx2 {
#include SKDISTILL_COPIED
}
}  // namespace SKDISTILL_ROOM
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
#pragma GCC target("prefer-vector-width=512")
#endif
namespace SKDISTILL_ROOM {
namespace avx512 {
#include SKDISTILL_COPIED
}
}  // namespace SKDISTILL_ROOM
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef SKDISTILL_VECTOR_BYTES
#endif

#undef SKDISTILL_COPIED
#undef SKDISTILL_ROOM
