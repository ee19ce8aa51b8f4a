// The distillation objective and its gradient in one pass over the rows.
//
// For student log-odds z, teacher distribution q = softmax(t / T), label y and
// weight w, with p_T = softmax(z / T) and p = softmax(z):
//
//     loss = w * [ alpha * T^2 * KL(q || p_T)  +  (1 - alpha) * -log p[y] ]
//     grad = w * [ alpha * T * (p_T - q)       +  (1 - alpha) * (p - onehot(y)) ]
//
// A row with label -1 has no hard term.
//
// problem.hpp           what a call is given and gives back
// scalar_rows.hpp       one row at a time in double; decides what is valid
// instruction_sets.hpp  compiles, once per instruction set,
//   vector.hpp            vectors, vector_math.hpp their exp and log,
//   vector_tiles.hpp      and their transposed access to rows
//   block_losses.hpp      from the sums of a block of rows to its losses
//   few_classes.hpp       rows side by side in the lanes of vectors
//   some_classes.hpp      half as many rows, with two columns in a vector
//   many_classes.hpp      rows that fill vectors by themselves
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

#include "instruction_sets.hpp"
#include "problem.hpp"

namespace skdistill {

// Rows are added up slice by slice, and slices depend on the number of rows alone:
// the total is the same to the last bit for every number of threads.
constexpr std::int64_t kMaxSlices = 64;
constexpr std::int64_t kMinSliceRows = 1024;

struct Slices {
    explicit Slices(std::int64_t n_rows) {
        const std::int64_t wanted = (n_rows + kMinSliceRows - 1) / kMinSliceRows;
        const std::int64_t n_slices =
            std::min(std::max<std::int64_t>(wanted, 1), kMaxSlices);
        const std::int64_t even = (n_rows + n_slices - 1) / n_slices;
        rows = (even + 63) / 64 * 64;  // whole blocks for every instruction set
        count = rows ? (n_rows + rows - 1) / rows : 0;
    }
    std::int64_t rows;
    std::int64_t count;
};

template <class Real>
SoftTargetResult soft_target_loss_gradient(const SoftTargetProblem<Real>& problem,
                                           InstructionSet set, int n_threads) {
    const auto rows = implementation<Real>(set).rows;
    const Slices slices(problem.n_rows);
    SoftTargetResult results[kMaxSlices];
    std::atomic<std::int64_t> next{0};
    const auto work = [&] {
        for (std::int64_t i = next++; i < slices.count; i = next++)
            results[i] = rows(problem, i * slices.rows,
                              std::min((i + 1) * slices.rows, problem.n_rows));
    };
    std::vector<std::thread> helpers;
    const std::int64_t n_helpers = std::min<std::int64_t>(n_threads, slices.count) - 1;
    if (n_helpers > 0) helpers.reserve(n_helpers);
    try {
        while (static_cast<std::int64_t>(helpers.size()) < n_helpers)
            helpers.emplace_back(work);
    } catch (const std::system_error&) {
        // Out of threads: those that exist share the slices, the result is the same.
    }
    work();
    for (std::thread& helper : helpers) helper.join();

    SoftTargetResult result{0.0, -1};
    for (std::int64_t i = 0; i < slices.count; ++i) {
        if (results[i].invalid_row >= 0) return {0.0, results[i].invalid_row};
        result.total += results[i].total;
    }
    return result;
}

// exp and log of arrays as the rows compute them, for the tests of their accuracy.
template <class Real>
void exponentials(InstructionSet set, const Real* from, Real* to, std::int64_t n) {
    implementation<Real>(set).exponentials(from, to, n);
}

template <class Real>
void logarithms(InstructionSet set, const Real* from, Real* to, std::int64_t n) {
    implementation<Real>(set).logarithms(from, to, n);
}

}  // namespace skdistill
