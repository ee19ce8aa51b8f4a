// An ensemble of trees as it is scored, in two forms.
//
// Walked: one row goes down its trees from node to node, several trees or rows side
// by side to hide the latency of memory. For single rows and for large trees.
//
// Masked: all nodes of a tree are looked at for a block of rows at once. A number is
// replaced by its rank among the thresholds of its column, one byte, so that a vector
// instruction compares as many rows as it has bytes; a node splits the set of rows
// that reach it in two. For trees of up to 256 leaves this beats walking, since no
// step waits for the one before, and nothing is gathered.
//
// Both are exact, and both add leaves in the order of the trees: results have the
// same bits.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace skdistill {
namespace trees {

// The arrays of a TreeEnsembleSpec, whose checks have been passed.
struct Arrays {
    std::int64_t n_columns, n_outputs, n_trees, n_nodes, n_leaves, leaf_width;
    std::int64_t n_sets, n_words;
    const std::int64_t* n_levels;  // of each column
    const std::uint8_t* categorical;
    const double* base;
    const std::int32_t* roots;
    const std::int32_t* outputs;
    const std::int32_t* features;
    const double* thresholds;
    const std::uint8_t* missing_left;
    const std::int32_t* sets;
    const std::int32_t* children;
    const double* leaves;
    const std::uint32_t* level_sets;
};

// How a missing value is read, so that x <= t alone routes it.
enum class Missing : std::uint8_t { kRight, kLeft, kCategory };

// What walked nodes compare: a column, NaN (never <= t) or -inf (always) if missing.
struct Input {
    std::int32_t column;
    Missing missing;
    std::int64_t n_levels;
};

// A node goes to `child`, or to the next one if not x <= threshold. A leaf goes to
// itself, since its input is -inf; its threshold is its value, or its number if it
// has several. A categorical node has the complement of its input.
struct WalkNode {
    double threshold;
    std::int32_t child;
    std::int32_t input;
};

// A column's thresholds that nodes of masked trees compare with, and the bytes, one
// for each 255 of them, that its rank becomes.
struct Ranking {
    std::int32_t column;
    std::int32_t count;
    std::int32_t missing_rank;
    std::int32_t first_bin;
    std::int64_t first_threshold;  // padded, see kBucket
    std::int64_t n_levels;         // of a category, -1 of a number
};

// Thresholds are padded with infinity to whole buckets, and one more.
constexpr std::int64_t kBucket = 16;
constexpr std::int32_t kRanksPerBin = 255;

enum class NodeKind : std::uint8_t { kNumber, kFewLevels, kManyLevels };

// Sets of up to so many levels fit a vector instruction that looks up 16 bytes.
constexpr std::int64_t kFewLevels = 128;

// Rows that reach node i and have rank <= `rank` reach its left child. `right_leaf` is
// the number of leaves left of the right child.
struct MaskNode {
    std::uint16_t bin;
    std::uint8_t rank;  // of a categorical node: which of the tree's sets
    std::uint8_t right_leaf;
    std::uint8_t left, right;  // kNowhere for leaves
    NodeKind kind;
    std::uint8_t padding;
};

constexpr int kMaxMaskLeaves = 256;
// The byte of a level in a set has a number of two bytes.
constexpr std::int64_t kMaxMaskLevels = 1 << 19;
// Leaves of a tree are padded with zeros to a power of 2, and to so many at least.
constexpr int kMinLeaves = 16;
constexpr std::uint8_t kNowhere = 255;  // such a tree has up to 255 nodes, 0 to 254

struct Tree {
    std::int32_t output;
    bool masked;
    bool categorical;
    std::int64_t first_node;  // among the mask nodes
    std::int32_t n_nodes;
    std::int64_t first_leaf;  // among the values of mask leaves, in order
    std::int64_t first_set;   // among the numbers of sets
};

struct Forest {
    std::int64_t n_columns = 0, n_outputs = 0, leaf_width = 1, n_trees = 0;
    std::int64_t n_bins = 0;
    bool any_categorical = false;
    std::vector<double> base;
    std::vector<Tree> trees;
    std::vector<double> leaves;       // of walked leaves with several values
    std::vector<double> mask_leaves;  // (leaf, value)
    // Walked.
    std::vector<Input> inputs;
    std::vector<WalkNode> walk_nodes;  // the roots, then pairs of children
    // Masked.
    std::vector<Ranking> rankings;
    std::vector<double> thresholds;
    std::vector<float> rounded;  // down, so that comparisons with floats are exact
    std::vector<MaskNode> mask_nodes;
    std::vector<std::uint32_t> mask_sets;
    // Bit c % 8 of byte c / 8: whether the set holds code c.
    std::int64_t set_bytes = 0;
    std::vector<std::uint8_t> set_bits;

    const std::uint8_t* set(std::uint32_t number) const {
        return set_bits.data() + number * set_bytes;
    }
};

// The position of a category's bit in a set: levels, then unseen, then missing.
template <class Real>
inline std::int64_t level_code(Real value, std::int64_t n_levels) {
    if (value >= 0 && value < static_cast<Real>(n_levels))
        return static_cast<std::int64_t>(value);
    return value == -1 || value != value ? n_levels + 1 : n_levels;
}

}  // namespace trees
}  // namespace skdistill
