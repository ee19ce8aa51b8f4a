// The vector implementation of one instruction set, chosen by the problem.

#include "vector.hpp"
#include "vector_math.hpp"
#include "vector_tiles.hpp"
#include "block_losses.hpp"
#include "few_classes.hpp"
#include "many_classes.hpp"

template <bool from_log_odds, HardTerm hard_term, class Real>
static SoftTargetResult rows_of(const SoftTargetProblem<Real>& problem,
                                std::int64_t begin, std::int64_t end) {
    if (problem.n_classes <= kFewClasses)
        return few_classes<from_log_odds, hard_term>(problem, begin, end);
    return many_classes<from_log_odds, hard_term>(problem, begin, end);
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
static void exponentials(const Real* from, Real* to, std::int64_t n) {
    map<true>(from, to, n);
}

template <class Real>
static void logarithms(const Real* from, Real* to, std::int64_t n) {
    map<false>(from, to, n);
}
