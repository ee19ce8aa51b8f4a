// The vector implementation of one instruction set, chosen by the problem.

#include "vector.hpp"
#include "vector_math.hpp"
#include "vector_tiles.hpp"
#include "block_losses.hpp"

// What a thread has on its stack for exponentials. With what does not fit into
// registers a thread takes at most 9 kB, as -fstack-usage tells.
constexpr int kScratchBytes = 5376;

#include "few_classes.hpp"
#include "some_classes.hpp"
#include "many_classes.hpp"

// Whole blocks of few or some classes; `next` becomes the first row that is left.
template <bool of_few, bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_OUTLINE SoftTargetResult blocks(const SoftTargetProblem<Real>& problem,
                                          std::int64_t& next, std::int64_t end) {
    constexpr std::int64_t n_abreast = of_few ? kLanes<Real> : kPieceLanes<Real>;
    const Scales<Real> scales(problem);
    SoftTargetResult result{0.0, -1};
    Doubles<Real> total{};
    for (; next + n_abreast <= end; next += n_abreast) {
        bool done;
        if constexpr (of_few)
            done = few_block<kFewClasses<hard_term>, from_log_odds, hard_term>(
                problem, scales, next, total);
        else
            done = tiles_block<from_log_odds, hard_term>(problem, scales, next, total);
        if (!done && !scalar::add_rows(problem, next, next + n_abreast, result))
            return result;
    }
    result.total += sum_doubles(total);
    return result;
}

// Each function called here has its memory on the stack for itself.
template <bool from_log_odds, HardTerm hard_term, class Real>
static SoftTargetResult rows_of(const SoftTargetProblem<Real>& problem,
                                std::int64_t begin, std::int64_t end) {
    const std::int64_t n_classes = problem.n_classes;
    std::int64_t next = begin;
    SoftTargetResult result{0.0, -1};
    if (n_classes <= kFewClasses<hard_term>)
        result = blocks<true, from_log_odds, hard_term>(problem, next, end);
    else if constexpr (kBytes > kPieceBytes)
        if (n_classes <= kSomeClasses<Real, hard_term>)
            result = blocks<false, from_log_odds, hard_term>(problem, next, end);
    if (result.invalid_row >= 0 || next == end) return result;
    const SoftTargetResult rest =
        n_classes < kLanes<Real>
            ? padded_rows<from_log_odds, hard_term>(problem, next, end)
            : many_classes<from_log_odds, hard_term>(problem, next, end);
    return {result.total + rest.total, rest.invalid_row};
}

template <HardTerm hard_term, class Real>
static SoftTargetResult rows_with(const SoftTargetProblem<Real>& problem,
                                  std::int64_t begin, std::int64_t end) {
    if (problem.from_log_odds) return rows_of<true, hard_term>(problem, begin, end);
    return rows_of<false, hard_term>(problem, begin, end);
}

template <class Real>
static SoftTargetResult rows(const SoftTargetProblem<Real>& problem, std::int64_t begin,
                             std::int64_t end) {
    // Powers of the temperature are among the constants of exp.
    if (!(problem.temperature >= 1e-4 && problem.temperature <= 1e4))
        return scalar::rows(problem, begin, end);
    if (!problem.labels || problem.alpha == 1.0)
        return rows_with<HardTerm::kNone>(problem, begin, end);
    if (problem.temperature == 1.0)
        return rows_with<HardTerm::kShared>(problem, begin, end);
    return rows_with<HardTerm::kOwn>(problem, begin, end);
}

// For the tests of accuracy.
template <bool of_exponential, class Real>
SKDISTILL_INLINE void map(const Real* from, Real* to, std::int64_t n) {
    constexpr std::int64_t lanes = kLanes<Real>;
    for (std::int64_t first = 0; first < n; first += lanes) {
        const std::int64_t count = first + lanes <= n ? lanes : n - first;
        Vector<Real> values = broadcast(Real(1));
        __builtin_memcpy(&values, from + first, count * sizeof(Real));
        if constexpr (of_exponential)
            values = exponential<Real>(values, ExpScale<Real>(1.0));
        else
            values = logarithm(values);
        __builtin_memcpy(to + first, &values, count * sizeof(Real));
    }
}

template <class Real>
static void map_exponentials(const Real* from, Real* to, std::int64_t n) {
    map<true>(from, to, n);
}

template <class Real>
static void map_logarithms(const Real* from, Real* to, std::int64_t n) {
    map<false>(from, to, n);
}
