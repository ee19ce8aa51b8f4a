// From the arrays of a specification to a forest.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tree_forest.hpp"

namespace skdistill {
namespace trees {

class Preparation {
   public:
    explicit Preparation(const Arrays& arrays) : a(arrays) {}

    Forest forest() {
        f.n_columns = a.n_columns;
        f.n_outputs = a.n_outputs;
        f.n_trees = a.n_trees;
        f.leaf_width = a.leaf_width;
        f.base.assign(a.base, a.base + a.n_outputs);
        copy_sets();
        walk_nodes();
        unfold_trees();
        rank_thresholds();
        mask_nodes();
        return std::move(f);
    }

   private:
    // A node of a masked tree before ranks are known.
    struct Unfolded {
        std::int32_t node;
        std::uint8_t left, right, right_leaf;
    };
    // Thresholds of a column and where missing values go.
    using Side = std::pair<std::int32_t, Missing>;

    bool is_categorical(std::int32_t node) const { return a.sets[node] >= 0; }

    void copy_sets() {
        f.set_bytes = std::max<std::int64_t>(4 * a.n_words, 16);
        f.set_bits.assign(f.set_bytes * a.n_sets, 0);
        for (std::int64_t i = 0; i < a.n_sets * a.n_words; ++i)
            for (int byte = 0; byte < 4; ++byte)
                f.set_bits[i / a.n_words * f.set_bytes + i % a.n_words * 4 + byte] =
                    static_cast<std::uint8_t>(a.level_sets[i] >> (8 * byte));
    }

    void walk_nodes() {
        if (a.n_trees + 2 * a.n_nodes >= std::numeric_limits<std::int32_t>::max())
            throw std::length_error("too many nodes");
        f.walk_nodes.resize(a.n_trees + 2 * a.n_nodes);
        inputs_of_nodes();
        const auto n_inputs = static_cast<std::int32_t>(f.inputs.size());
        for (std::int64_t i = 0; i < a.n_trees; ++i) walk_node(i, a.roots[i], n_inputs);
        for (std::int64_t i = 0; i < 2 * a.n_nodes; ++i)
            walk_node(a.n_trees + i, a.children[i], n_inputs);
        if (a.leaf_width > 1) f.leaves.assign(a.leaves, a.leaves + a.n_leaves * a.leaf_width);
    }

    void inputs_of_nodes() {
        std::map<Side, std::int32_t> known;
        input_of.resize(a.n_nodes);
        for (std::int64_t i = 0; i < a.n_nodes; ++i) {
            const Missing missing = is_categorical(i)  ? Missing::kCategory
                                    : a.missing_left[i] ? Missing::kLeft
                                                        : Missing::kRight;
            const auto [where, is_new] = known.insert(
                {{a.features[i], missing}, static_cast<std::int32_t>(f.inputs.size())});
            if (is_new)
                f.inputs.push_back({a.features[i], missing, a.n_levels[a.features[i]]});
            input_of[i] = where->second;
        }
    }

    // Where a reference to a node or leaf is looked up.
    void walk_node(std::int64_t at, std::int32_t reference, std::int32_t n_inputs) {
        WalkNode& node = f.walk_nodes[at];
        if (reference < 0) {
            const std::int64_t leaf = -1 - static_cast<std::int64_t>(reference);
            node = {a.leaf_width == 1 ? a.leaves[leaf] : static_cast<double>(leaf),
                    static_cast<std::int32_t>(at), n_inputs};
            return;
        }
        node = {a.thresholds[reference],
                static_cast<std::int32_t>(a.n_trees + 2 * reference), input_of[reference]};
        if (!is_categorical(reference)) return;
        f.any_categorical = true;
        const std::uint64_t set = static_cast<std::uint64_t>(a.sets[reference]);
        std::memcpy(&node.threshold, &set, sizeof set);
        node.input = ~node.input;
    }

    void unfold_trees() {
        f.trees.resize(a.n_trees);
        for (std::int64_t i = 0; i < a.n_trees; ++i) {
            Tree& tree = f.trees[i];
            tree = {a.outputs[i], false, false, static_cast<std::int64_t>(unfolded.size()),
                    0, static_cast<std::int64_t>(leaf_numbers.size()), 0};
            tree.masked = unfold(tree, a.roots[i]);
            if (!tree.masked) {
                unfolded.resize(tree.first_node);
                leaf_numbers.resize(tree.first_leaf);
            }
        }
        f.mask_leaves.reserve(leaf_numbers.size() * a.leaf_width);
        for (std::int64_t leaf : leaf_numbers)
            for (std::int64_t k = 0; k < a.leaf_width; ++k)
                f.mask_leaves.push_back(leaf < 0 ? 0.0 : a.leaves[leaf * a.leaf_width + k]);
    }

    // Whether the tree, shared nodes copied, has few enough leaves, and its columns
    // few enough levels; appends the leaves and nodes, level by level: then neighbouring ones do not wait for each other.
    bool unfold(Tree& tree, std::int32_t root) {
        struct Item {
            std::int32_t reference;
            std::int32_t parent;  // and which of its children, the sign of `side`
            std::uint8_t side;
            std::int32_t left, right, n_leaves;
        };
        std::vector<Item> items{{root, -1, 0, -1, -1, 0}};
        int n_leaves = root < 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::int32_t node = items[i].reference;
            if (node < 0) continue;
            if (is_categorical(node) && a.n_levels[a.features[node]] + 2 > kMaxMaskLevels)
                return false;
            const std::int32_t* children = a.children + 2 * node;
            for (int side = 0; side < 2; ++side) {
                n_leaves += children[side] < 0;
                const auto at = static_cast<std::int32_t>(items.size());
                (side ? items[i].right : items[i].left) = at;
                items.push_back({children[side], static_cast<std::int32_t>(i), 0, -1, -1, 0});
            }
            if (items.size() > 2 * kMaxMaskLeaves) return false;
        }
        if (n_leaves > kMaxMaskLeaves) return false;
        for (std::size_t i = items.size(); i-- > 0;)
            items[i].n_leaves = items[i].reference < 0
                                    ? 1
                                    : items[items[i].left].n_leaves +
                                          items[items[i].right].n_leaves;
        // Leaves in order: the first of a node's leaves, from the root on.
        std::vector<std::int32_t> first(items.size(), 0), number(items.size(), kNowhere);
        std::int64_t padded = kMinLeaves;
        while (padded < n_leaves) padded *= 2;
        leaf_numbers.resize(tree.first_leaf + padded, -1);
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (items[i].reference < 0) {
                leaf_numbers[tree.first_leaf + first[i]] =
                    -1 - static_cast<std::int64_t>(items[i].reference);
                continue;
            }
            first[items[i].left] = first[i];
            first[items[i].right] = first[i] + items[items[i].left].n_leaves;
            number[i] = tree.n_nodes++;
        }
        for (const Item& item : items)
            if (item.reference >= 0)
                unfolded.push_back(
                    {item.reference, static_cast<std::uint8_t>(number[item.left]),
                     static_cast<std::uint8_t>(number[item.right]),
                     static_cast<std::uint8_t>(items[item.left].n_leaves)});
        return true;
    }

    void rank_thresholds() {
        std::map<Side, std::vector<double>> sides;
        for (const Unfolded& node : unfolded) {
            const Input& input = f.inputs[input_of[node.node]];
            auto& thresholds = sides[{input.column, input.missing}];
            if (input.missing != Missing::kCategory)
                thresholds.push_back(a.thresholds[node.node]);
        }
        for (auto& side : sides) {
            auto& t = side.second;
            std::sort(t.begin(), t.end());
            t.erase(std::unique(t.begin(), t.end()), t.end());
        }
        for (auto side = sides.begin(); side != sides.end(); ++side) {
            const auto& [column, missing] = side->first;
            if (missing == Missing::kCategory) {
                add_category(column);
                continue;
            }
            const auto next = std::next(side);
            if (missing == Missing::kRight && next != sides.end() &&
                next->first == Side{column, Missing::kLeft} &&
                side->second.back() < next->second.front()) {
                // One rank for missing values is right for all nodes of the column.
                std::vector<double> both = side->second;
                both.insert(both.end(), next->second.begin(), next->second.end());
                add_numbers(column, missing, side->second.size(), both);
                ranking_of[next->first] = ranking_of[side->first];
                side = next;
                continue;
            }
            add_numbers(column, missing,
                        missing == Missing::kRight ? side->second.size() : 0, side->second);
        }
        // More bytes of a row than a node can number: all trees are walked.
        if (f.n_bins > std::numeric_limits<std::uint16_t>::max()) {
            for (Tree& tree : f.trees) tree.masked = false;
            f.rankings.clear();
            f.n_bins = 0;
        }
    }

    void add_numbers(std::int32_t column, Missing missing, std::size_t missing_rank,
                     const std::vector<double>& thresholds) {
        ranking_of[{column, missing}] = static_cast<std::int32_t>(f.rankings.size());
        const auto count = static_cast<std::int32_t>(thresholds.size());
        f.rankings.push_back({column, count, static_cast<std::int32_t>(missing_rank),
                              static_cast<std::int32_t>(f.n_bins),
                              static_cast<std::int64_t>(f.thresholds.size()), -1});
        f.n_bins += (count + kRanksPerBin - 1) / kRanksPerBin;
        f.thresholds.insert(f.thresholds.end(), thresholds.begin(), thresholds.end());
        const std::int64_t n_buckets = (count + kBucket - 1) / kBucket + 1;
        f.thresholds.resize(f.rankings.back().first_threshold + n_buckets * kBucket,
                            std::numeric_limits<double>::infinity());
        for (std::size_t i = f.rounded.size(); i < f.thresholds.size(); ++i)
            f.rounded.push_back(rounded_down(f.thresholds[i]));
    }

    static float rounded_down(double threshold) {
        const float infinity = std::numeric_limits<float>::infinity();
        const float largest = std::numeric_limits<float>::max();
        if (threshold == std::numeric_limits<double>::infinity()) return infinity;
        if (threshold > largest) return largest;
        if (threshold < -largest) return -infinity;
        const float nearest = static_cast<float>(threshold);
        return nearest > threshold ? std::nextafter(nearest, -infinity) : nearest;
    }

    void add_category(std::int32_t column) {
        ranking_of[{column, Missing::kCategory}] =
            static_cast<std::int32_t>(f.rankings.size());
        f.rankings.push_back(
            {column, 0, 0, static_cast<std::int32_t>(f.n_bins), 0, a.n_levels[column]});
        // Low byte of the code's byte in a set, its bit there, and the high byte.
        f.n_bins += 3;
    }

    void mask_nodes() {
        f.mask_nodes.reserve(unfolded.size());
        for (Tree& tree : f.trees) {
            if (!tree.masked) continue;
            const std::int64_t first = tree.first_node;
            tree.first_node = static_cast<std::int64_t>(f.mask_nodes.size());
            tree.first_set = static_cast<std::int64_t>(f.mask_sets.size());
            for (std::int64_t i = first; i < first + tree.n_nodes; ++i)
                f.mask_nodes.push_back(mask_node(tree, unfolded[i]));
        }
    }

    MaskNode mask_node(Tree& tree, const Unfolded& from) {
        const Input& input = f.inputs[input_of[from.node]];
        const Ranking& ranking =
            f.rankings[ranking_of.at({input.column, input.missing})];
        MaskNode node{static_cast<std::uint16_t>(ranking.first_bin), 0, from.right_leaf,
                      from.left, from.right, NodeKind::kNumber, 0};
        if (input.missing == Missing::kCategory) {
            node.kind = ranking.n_levels + 2 <= kFewLevels ? NodeKind::kFewLevels
                                                           : NodeKind::kManyLevels;
            tree.categorical = true;
            node.rank = static_cast<std::uint8_t>(f.mask_sets.size() - tree.first_set);
            f.mask_sets.push_back(static_cast<std::uint32_t>(a.sets[from.node]));
            return node;
        }
        const double* t = f.thresholds.data() + ranking.first_threshold;
        const auto rank = static_cast<std::int32_t>(
            std::lower_bound(t, t + ranking.count, a.thresholds[from.node]) - t);
        node.bin += rank / kRanksPerBin;
        node.rank = static_cast<std::uint8_t>(rank % kRanksPerBin);
        return node;
    }

    const Arrays& a;
    Forest f;
    std::vector<std::int32_t> input_of;  // each node
    std::vector<Unfolded> unfolded;
    std::vector<std::int64_t> leaf_numbers;
    std::map<Side, std::int32_t> ranking_of;
};

inline Forest prepare(const Arrays& arrays) { return Preparation(arrays).forest(); }

}  // namespace trees
}  // namespace skdistill
