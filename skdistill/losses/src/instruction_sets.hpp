// The row loops of every instruction set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "../../src/instruction_sets.hpp"
#include "problem.hpp"
#include "scalar_rows.hpp"

#define SKDISTILL_ROOM skdistill
#define SKDISTILL_COPIED "../losses/src/vector_rows.hpp"
#include "../../src/each_instruction_set.hpp"

namespace skdistill {

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
