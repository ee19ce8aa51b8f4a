// What one call of the kernel is given and what it gives back.
#pragma once

#include <cstdint>

namespace skdistill {

template <class Real>
struct SoftTargetProblem {
    const Real* logits;          // IN  (n_rows, n_classes)
    const Real* targets;         // IN  (n_rows, n_classes): q, or t if from_log_odds
    const std::int64_t* labels;  // IN  (n_rows,), or null: no row has a label
    const Real* weights;         // IN  (n_rows,), or null: all are 1
    Real* losses;                // OUT (n_rows,), or null: only their sum is wanted
    Real* gradient;              // OUT (n_rows, n_classes); may be `logits` itself
    std::int64_t n_rows;
    std::int64_t n_classes;
    double temperature;
    double alpha;
    double gradient_scale;       // 1 / sum of weights for a mean
    bool from_log_odds;
};

struct SoftTargetResult {
    double total;             // sum of weighted row losses
    std::int64_t invalid_row; // first row with an impossible value, or -1
};

// Largest deviation of a target row's sum from 1 that is taken for rounding.
constexpr double kSumTolerance = 1e-3;

}  // namespace skdistill
