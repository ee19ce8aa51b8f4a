// A network one row and one number at a time: for compilers without vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "network.hpp"

namespace skdistill {
namespace runtime {
namespace portable {

// NaN stays NaN.
inline double clipped(double value, double low, double high) {
    value = low > value ? low : value;
    return high < value ? high : value;
}

struct Place {
    int segment;
    float fraction;
};

inline Place locate(const Search& search, double value) {
    const int n_segments = search.n_segments();
    double u = (value - search.offset) * search.scale;
    if (std::isnan(u)) return {n_segments + 1, 0.0f};
    u = clipped(u, search.low, search.high);
    const auto first = search.points.begin() + 1, end = first + n_segments - 1;
    const int segment = static_cast<int>(std::upper_bound(first, end, u) - first);
    const double fraction = (u - search.points[segment]) * search.reciprocals[segment];
    return {segment, static_cast<float>(fraction)};
}

inline void add_row(Floats& sums, float factor, const float* row) {
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += factor * row[j];
}

// The activations of a row in one layer and the next.
struct Row {
    Floats inputs, units;
};

template <class In>
void read_inputs(const Network& network, const In* values, Floats& inputs) {
    const Lines& lines = network.lines;
    inputs.resize(network.layers[0].n_inputs);
    for (int k = 0; k < network.n_lines(); ++k) {
        const double value = values[lines.columns[k]];
        const double line =
            (clipped(value, lines.lows[k], lines.highs[k]) - lines.offsets[k]) *
            lines.scales[k];
        inputs[k] = std::isnan(value) ? lines.fills[k] : static_cast<float>(line);
    }
    float* next = inputs.data() + network.n_lines();
    for (const Curve& curve : network.curves) {
        const Place at = locate(curve.search, values[curve.search.column]);
        const float start = curve.values[at.segment];
        *next++ = at.segment > curve.search.n_segments()
                      ? start
                      : start + at.fraction * (curve.values[at.segment + 1] - start);
    }
}

template <class In>
void add_lookups(const Network& network, const In* values, Floats& units) {
    const std::size_t n_units = units.size();
    for (const Table& table : network.tables) {
        const Place at = locate(table.search, values[table.search.column]);
        const float* row = table.rows.data() + at.segment * n_units;
        add_row(units, 1 - at.fraction, row);
        if (at.segment <= table.search.n_segments())
            add_row(units, at.fraction, row + n_units);
    }
    for (const Categories& categories : network.categories) {
        const In value = values[categories.column];
        const std::int32_t n_levels = categories.n_levels;
        std::int32_t level = std::isnan(value) || value == -1 ? n_levels + 1 : n_levels;
        if (value >= 0 && value < n_levels) level = static_cast<std::int32_t>(value);
        add_row(units, 1.0f, categories.rows.data() + level * n_units);
    }
}

inline void multiply(const Layer& layer, Row& row) {
    row.units = layer.biases;
    for (int k = 0; k < layer.n_inputs; ++k)
        add_row(row.units, row.inputs[k],
                layer.weights.data() + static_cast<std::size_t>(k) * layer.n_units);
}

template <class Out>
void write_row(const Network& network, const Floats& units, bool log_odds, Out* out) {
    const int n_classes = network.n_classes, spare = n_classes - network.n_outputs();
    std::fill_n(out, spare, Out(0));
    for (int k = spare; k < n_classes; ++k) out[k] = static_cast<Out>(units[k - spare]);
    if (log_odds) return;
    const double largest = *std::max_element(out, out + n_classes);
    double sum = 0;
    for (int k = 0; k < n_classes; ++k) sum += std::exp(out[k] - largest);
    for (int k = 0; k < n_classes; ++k)
        out[k] = static_cast<Out>(std::exp(out[k] - largest) / sum);
}

template <class In>
void score(const Network& network, const In* values, std::int64_t n_rows, Wanted wanted,
           void* out) {
    Row row;
    for (std::int64_t i = 0; i < n_rows; ++i, values += network.n_columns) {
        read_inputs(network, values, row.inputs);
        for (std::size_t l = 0; l < network.layers.size(); ++l) {
            multiply(network.layers[l], row);
            if (l == 0) add_lookups(network, values, row.units);
            if (l + 1 < network.layers.size())
                for (float& unit : row.units) unit = unit > 0 ? unit : 0;
            row.inputs.swap(row.units);
        }
        const std::int64_t first = i * network.n_classes;
        if (wanted == Wanted::kFloatProbabilities)
            write_row(network, row.inputs, false, static_cast<float*>(out) + first);
        else
            write_row(network, row.inputs, wanted == Wanted::kLogOdds,
                      static_cast<double*>(out) + first);
    }
}

}  // namespace portable
}  // namespace runtime
}  // namespace skdistill
