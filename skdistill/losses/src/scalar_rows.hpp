// The objective one row and one number at a time, in double.
//
// The portable implementation, and the judge of every row that the vector
// implementations do not trust themselves with: rows with impossible values, and
// rows whose intermediate results exceed the range of the vectors' type. Every
// logarithm of a probability is a difference of shifted log-odds, so that finite
// input of any size gives finite output.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "problem.hpp"

namespace skdistill {
namespace scalar {

// (value - largest) / T, kept finite: differences of finite numbers overflow.
template <class Real>
double shifted(Real value, Real largest, double temperature) {
    const double difference = static_cast<double>(value) - static_cast<double>(largest);
    return std::max(difference / temperature, -std::numeric_limits<double>::max());
}

template <class Real>
double log_sum_exp(const Real* values, Real largest, double temperature,
                   std::int64_t n) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < n; ++k)
        sum += std::exp(shifted(values[k], largest, temperature));
    return std::log(sum);
}

template <class Real>
bool row_is_valid(const SoftTargetProblem<Real>& problem, std::int64_t row) {
    const std::int64_t n = problem.n_classes;
    const Real* z = problem.logits + row * n;
    const Real* t = problem.targets + row * n;
    double sum = 0.0;
    for (std::int64_t k = 0; k < n; ++k) {
        if (!std::isfinite(z[k]) || !std::isfinite(t[k])) return false;
        if (!problem.from_log_odds && t[k] < 0) return false;
        sum += t[k];
    }
    if (!problem.from_log_odds && !(std::abs(sum - 1.0) <= kSumTolerance)) return false;
    if (problem.labels && (problem.labels[row] < -1 || problem.labels[row] >= n))
        return false;
    return !problem.weights ||
           (problem.weights[row] >= 0 && std::isfinite(problem.weights[row]));
}

// Weighted loss of one valid row, its gradient written.
template <class Real>
double row_loss_gradient(const SoftTargetProblem<Real>& problem, std::int64_t row) {
    const std::int64_t n = problem.n_classes;
    const Real* z = problem.logits + row * n;
    const Real* t = problem.targets + row * n;
    Real* gradient = problem.gradient + row * n;
    const double temperature = problem.temperature;
    const double weight = problem.weights ? problem.weights[row] : 1.0;
    const std::int64_t label = problem.labels ? problem.labels[row] : -1;
    const double soft = weight * problem.alpha * temperature;
    const double hard = label < 0 ? 0.0 : weight * (1.0 - problem.alpha);
    const bool from_log_odds = problem.from_log_odds;

    const Real z_max = *std::max_element(z, z + n);
    const double z_soft = log_sum_exp(z, z_max, temperature, n);
    const double z_hard = hard > 0 ? log_sum_exp(z, z_max, 1.0, n) : 0.0;
    const Real t_max = from_log_odds ? *std::max_element(t, t + n) : Real(0);
    const double t_soft = from_log_odds ? log_sum_exp(t, t_max, temperature, n) : 0.0;
    const double hard_loss = hard > 0 ? z_hard - shifted(z[label], z_max, 1.0) : 0.0;

    double divergence = 0.0;
    for (std::int64_t k = 0; k < n; ++k) {
        const double log_p = shifted(z[k], z_max, temperature) - z_soft;
        const double log_q = from_log_odds ? shifted(t[k], t_max, temperature) - t_soft
                                           : std::log(static_cast<double>(t[k]));
        const double q = from_log_odds ? std::exp(log_q) : static_cast<double>(t[k]);
        if (q > 0) divergence += q * (log_q - log_p);
        double slope = soft * (std::exp(log_p) - q);
        if (hard > 0)
            slope += hard * (std::exp(shifted(z[k], z_max, 1.0) - z_hard) - (k == label));
        gradient[k] = static_cast<Real>(slope * problem.gradient_scale);
    }
    return soft * temperature * divergence + hard * hard_loss;
}

// Rows begin..end-1; adds to result.total and stops at the first invalid row.
template <class Real>
bool add_rows(const SoftTargetProblem<Real>& problem, std::int64_t begin,
              std::int64_t end, SoftTargetResult& result) {
    for (std::int64_t row = begin; row < end; ++row) {
        if (!row_is_valid(problem, row)) {
            result.invalid_row = row;
            return false;
        }
        const double loss = row_loss_gradient(problem, row);
        if (problem.losses) problem.losses[row] = static_cast<Real>(loss);
        result.total += loss;
    }
    return true;
}

template <class Real>
SoftTargetResult rows(const SoftTargetProblem<Real>& problem, std::int64_t begin,
                      std::int64_t end) {
    SoftTargetResult result{0.0, -1};
    add_rows(problem, begin, end, result);
    return result;
}

template <class Real>
void exponentials(const Real* from, Real* to, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = std::exp(from[i]);
}

template <class Real>
void logarithms(const Real* from, Real* to, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = std::log(from[i]);
}

}  // namespace scalar
}  // namespace skdistill
