// Rows that go down their trees, without vector instructions.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

#include "tree_forest.hpp"

namespace skdistill {
namespace trees {

// So many walks side by side that the latency of one step hides behind the others.
constexpr int kWalks = 8;

template <class Real>
void read_inputs(const Forest& forest, const Real* row, double* inputs) {
    const double infinity = std::numeric_limits<double>::infinity();
    const std::int64_t n_inputs = static_cast<std::int64_t>(forest.inputs.size());
    for (std::int64_t i = 0; i < n_inputs; ++i) {
        const Input& input = forest.inputs[i];
        const Real value = row[input.column];
        if (input.missing == Missing::kCategory)
            inputs[i] = static_cast<double>(level_code(value, input.n_levels));
        else
            inputs[i] = input.missing == Missing::kLeft && value != value
                            ? -infinity
                            : static_cast<double>(value);
    }
    inputs[n_inputs] = -infinity;
}

template <bool categorical>
inline std::int32_t step(const Forest& forest, const WalkNode& node,
                         const double* inputs) {
    if constexpr (categorical) {
        if (node.input < 0) {
            std::uint64_t number;
            std::memcpy(&number, &node.threshold, sizeof number);
            const auto code = static_cast<std::int64_t>(inputs[~node.input]);
            const std::uint8_t byte =
                forest.set(static_cast<std::uint32_t>(number))[code >> 3];
            return node.child + !((byte >> (code & 7)) & 1);
        }
    }
    return node.child + !(inputs[node.input] <= node.threshold);
}

// Walks end together: leaves lead to themselves.
template <bool categorical>
inline void walk(const Forest& forest, std::int32_t (&at)[kWalks],
                 const double* const (&inputs)[kWalks]) {
    const WalkNode* nodes = forest.walk_nodes.data();
    std::int32_t moved = 1;
    while (moved) {
        moved = 0;
#pragma GCC unroll 8
        for (int i = 0; i < kWalks; ++i) {
            const std::int32_t next =
                step<categorical>(forest, nodes[at[i]], inputs[i]);
            moved |= next ^ at[i];
            at[i] = next;
        }
    }
}

inline void add_walked_leaf(const Forest& forest, const WalkNode& leaf, double* sums,
                            std::int64_t stride) {
    if (forest.leaf_width == 1) {
        *sums += leaf.threshold;
        return;
    }
    const double* values = forest.leaves.data() +
                           static_cast<std::int64_t>(leaf.threshold) * forest.leaf_width;
    for (std::int64_t k = 0; k < forest.leaf_width; ++k) sums[k * stride] += values[k];
}

// All trees for one row; sums come with the base in them.
template <bool categorical>
void walk_row(const Forest& forest, const double* inputs, double* sums) {
    const double* rows[kWalks];
    for (const double*& row : rows) row = inputs;
    for (std::int64_t tree = 0; tree < forest.n_trees; tree += kWalks) {
        std::int32_t at[kWalks];
        for (int i = 0; i < kWalks; ++i)
            at[i] = static_cast<std::int32_t>(
                tree + i < forest.n_trees ? tree + i : forest.n_trees - 1);
        walk<categorical>(forest, at, rows);
        for (int i = 0; i < kWalks && tree + i < forest.n_trees; ++i)
            add_walked_leaf(forest, forest.walk_nodes[at[i]],
                            sums + forest.trees[tree + i].output, 1);
    }
}

// One tree for several rows, whose inputs lie `n_inputs` apart; the sums of an output
// lie side by side, those of the next `stride` on.
template <bool categorical>
void walk_tree(const Forest& forest, std::int64_t tree, const double* inputs,
               std::int64_t n_inputs, int n_rows, double* sums, std::int64_t stride) {
    for (int first = 0; first < n_rows; first += kWalks) {
        const double* rows[kWalks];
        std::int32_t at[kWalks];
        for (int i = 0; i < kWalks; ++i) {
            const int row = first + i < n_rows ? first + i : n_rows - 1;
            rows[i] = inputs + row * n_inputs;
            at[i] = static_cast<std::int32_t>(tree);
        }
        walk<categorical>(forest, at, rows);
        for (int i = 0; i < kWalks && first + i < n_rows; ++i)
            add_walked_leaf(forest, forest.walk_nodes[at[i]], sums + first + i, stride);
    }
}

}  // namespace trees
}  // namespace skdistill
