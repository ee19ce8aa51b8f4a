// A network as it is handed over: what skdistill/runtime/_first_layer.py makes of it.
#pragma once

#include <cstdint>
#include <vector>

namespace skdistill {
namespace runtime {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

// Inputs clip((x - offset) * scale), and `fill` where x is missing.
struct Lines {
    std::vector<std::int32_t> columns;
    Doubles lows, highs, offsets, scales;
    Floats fills;
};

// Segment and fraction of u = clip((x - offset) * scale, low, high) along points, which
// floats keep apart or not. What is missing has the segment n_segments + 1.
struct Search {
    std::int32_t column;
    bool in_float;
    double offset, scale, low, high;
    Doubles points;       // n_segments + 1, increasing
    Doubles reciprocals;  // n_segments, of their lengths

    int n_segments() const { return static_cast<int>(reciprocals.size()); }
};

// One input: a value at each point, interpolated, and that of missing numbers.
struct Curve {
    Search search;
    Floats values;  // n_segments + 2
};

// A row of units at each point, interpolated, and that of missing numbers.
struct Table {
    Search search;
    Floats rows;  // (n_segments + 2, n_units)
};

// A row of units for each level, for unseen and for missing ones.
struct Categories {
    std::int32_t column;
    std::int32_t n_levels;
    Floats rows;  // (n_levels + 2, n_units)
};

struct Layer {
    int n_inputs, n_units;
    Floats weights;  // (n_inputs, n_units)
    Floats biases;   // (n_units,)
};

struct Network {
    int n_columns;
    int n_classes;
    Lines lines;
    std::vector<Curve> curves;
    std::vector<Table> tables;
    std::vector<Categories> categories;
    std::vector<Layer> layers;  // inputs of the first: lines, then curves

    int n_lines() const { return static_cast<int>(lines.columns.size()); }
    int n_curves() const { return static_cast<int>(curves.size()); }
    int n_tables() const { return static_cast<int>(tables.size()); }
    int n_categories() const { return static_cast<int>(categories.size()); }
    int n_outputs() const { return layers.back().n_units; }
    bool is_binary() const { return n_outputs() == 1 && n_classes == 2; }
};

// What is wanted of rows: numbers of n_classes for each.
enum class Wanted : int { kLogOdds, kProbabilities, kFloatProbabilities };

}  // namespace runtime
}  // namespace skdistill
