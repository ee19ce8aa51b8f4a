// Log-odds or class probabilities of rows by an ensemble of trees.
//
// tree_forest.hpp            the ensemble as it is scored
// tree_prepare.hpp           made of the arrays of a specification
// tree_walk.hpp              rows that go down their trees
// tree_instruction_sets.hpp  compiles, once per instruction set,
//   tree_ranks.hpp             ranks of a block of rows among the thresholds
//   tree_masks.hpp             and trees that look at all nodes for such a block
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tree_instruction_sets.hpp"
#include "tree_prepare.hpp"
#include "tree_walk.hpp"

namespace skdistill {
namespace trees {

// Blocks that a thread takes at once, fewer if rows take more memory than this.
constexpr std::int64_t kSliceBlocks = 4;
constexpr std::int64_t kSliceBytes = 1 << 22;
// Bytes of nodes that stay in the first cache while the blocks of a slice pass.
constexpr std::int64_t kChunkBytes = 16384;
// With fewer rows than this in a block, they are walked one by one.
constexpr int kMinMaskRows = 12;
// Inputs of a row on the stack; more take memory for each call.
constexpr std::int64_t kStackInputs = 1024;

class Scorer {
   public:
    Scorer(const Arrays& arrays, std::int64_t n_classes, bool averages,
           InstructionSet set)
        : forest_(prepare(arrays)),
          n_classes_(n_classes),
          averages_(averages),
          float_masks_(masks<float>(set)),
          double_masks_(masks<double>(set)) {
        if (!float_masks_.rank)
            for (Tree& tree : forest_.trees) tree.masked = false;
        n_inputs_ = static_cast<std::int64_t>(forest_.inputs.size()) + 1;
        cut_chunks();
        const std::int64_t row_bytes =
            forest_.n_bins + (any_walked_ ? 8 * n_inputs_ : 0) + 8 * forest_.n_outputs;
        const std::int64_t fitting = kSliceBytes / (row_bytes * kBlockRows);
        slice_rows_ =
            kBlockRows * std::max<std::int64_t>(1, std::min(fitting, kSliceBlocks));
    }

    std::int64_t n_columns() const { return forest_.n_columns; }
    std::int64_t n_trees() const { return forest_.n_trees; }

    // Numbers of classes are written side by side for each row.
    template <class Real>
    void score_row(const Real* row, double* out, bool probabilities) const {
        if (n_inputs_ <= kStackInputs) {
            double inputs[kStackInputs];
            score_row(row, out, probabilities, inputs);
        } else {
            std::vector<double> inputs(n_inputs_);
            score_row(row, out, probabilities, inputs.data());
        }
    }

    template <class Real>
    void score(const Real* rows, std::int64_t n_rows, double* out, bool probabilities,
               int n_threads) const {
        const std::int64_t n_slices = (n_rows + slice_rows_ - 1) / slice_rows_;
        const std::int64_t n_workers =
            std::max<std::int64_t>(1, std::min<std::int64_t>(n_threads, n_slices));
        std::vector<Workspace> spaces;
        for (std::int64_t i = 0; i < n_workers; ++i)
            spaces.emplace_back(*this, std::min(n_rows, slice_rows_));
        std::atomic<std::int64_t> next{0};
        const auto work = [&](Workspace& space) {
            for (std::int64_t i = next++; i < n_slices; i = next++) {
                const std::int64_t first = i * slice_rows_;
                score_slice(rows + first * n_columns(),
                            std::min(slice_rows_, n_rows - first),
                            out + first * n_classes_, probabilities, space);
            }
        };
        std::vector<std::thread> helpers;
        helpers.reserve(n_workers - 1);
        try {
            for (std::int64_t i = 1; i < n_workers; ++i)
                helpers.emplace_back(work, std::ref(spaces[i]));
        } catch (const std::system_error&) {
            // Out of threads: those that exist share the slices, with the same result.
        }
        work(spaces[0]);
        for (std::thread& helper : helpers) helper.join();
    }

   private:
    struct Workspace {
        Workspace(const Scorer& scorer, std::int64_t n_rows)
            : n_blocks((n_rows + kBlockRows - 1) / kBlockRows),
              bins(scorer.forest_.n_bins * n_blocks * kBlockRows),
              sums(scorer.forest_.n_outputs * n_blocks * kBlockRows),
              inputs(scorer.any_walked_ ? scorer.n_inputs_ * n_blocks * kBlockRows
                                        : scorer.n_inputs_) {}
        std::int64_t n_blocks;
        std::vector<std::uint8_t> bins;
        std::vector<double> sums;
        std::vector<double> inputs;
    };

    void cut_chunks() {
        std::int64_t bytes = 0;
        any_walked_ = false;
        for (std::int64_t i = 0; i < forest_.n_trees; ++i) {
            const Tree& tree = forest_.trees[i];
            any_walked_ |= !tree.masked;
            if (i == 0 || bytes > kChunkBytes || !tree.masked) {
                chunks_.push_back(i);
                bytes = 0;
            }
            bytes += tree.masked ? tree.n_nodes * (sizeof(MaskNode) +
                                                   sizeof(double) * forest_.leaf_width)
                                 : kChunkBytes + 1;
        }
        chunks_.push_back(forest_.n_trees);
    }

    template <class Real>
    void score_row(const Real* row, double* out, bool probabilities,
                   double* inputs) const {
        // The last classes' places: those of the outputs where there are fewer.
        double* sums = out + n_classes_ - forest_.n_outputs;
        std::memcpy(sums, forest_.base.data(), forest_.n_outputs * sizeof(double));
        read_inputs(forest_, row, inputs);
        if (forest_.any_categorical)
            walk_row<true>(forest_, inputs, sums);
        else
            walk_row<false>(forest_, inputs, sums);
        link(out, probabilities);
    }

    template <class Real>
    const Masks<Real>& masks_of() const {
        if constexpr (sizeof(Real) == 4)
            return float_masks_;
        else
            return double_masks_;
    }

    template <class Real>
    void score_slice(const Real* rows, std::int64_t n_rows, double* out,
                     bool probabilities, Workspace& space) const {
        std::int64_t n_blocked = n_rows;
        if (n_rows % kBlockRows < kMinMaskRows && forest_.n_trees)
            n_blocked -= n_rows % kBlockRows;
        add_up(rows, n_blocked, space);
        for (std::int64_t row = 0; row < n_blocked; ++row) {
            const double* sums = space.sums.data() +
                                 row / kBlockRows * kBlockRows * forest_.n_outputs +
                                 row % kBlockRows;
            double* to = out + row * n_classes_;
            for (std::int64_t k = 0; k < forest_.n_outputs; ++k)
                to[n_classes_ - forest_.n_outputs + k] = sums[k * kBlockRows];
            link(to, probabilities);
        }
        for (std::int64_t row = n_blocked; row < n_rows; ++row)
            score_row(rows + row * n_columns(), out + row * n_classes_, probabilities,
                      space.inputs.data());
    }

    template <class Real>
    void add_up(const Real* rows, std::int64_t n_rows, Workspace& space) const {
        const std::int64_t n_blocks = (n_rows + kBlockRows - 1) / kBlockRows;
        const auto rows_of = [&](std::int64_t block) {
            return static_cast<int>(
                std::min<std::int64_t>(kBlockRows, n_rows - block * kBlockRows));
        };
        for (std::int64_t block = 0; block < n_blocks; ++block)
            begin_block(rows + block * kBlockRows * n_columns(), rows_of(block), block,
                        space);
        for (std::size_t chunk = 0; chunk + 1 < chunks_.size(); ++chunk)
            for (std::int64_t block = 0; block < n_blocks; ++block)
                for (std::int64_t tree = chunks_[chunk]; tree < chunks_[chunk + 1]; ++tree)
                    add_tree<Real>(tree, block, rows_of(block), space);
    }

    template <class Real>
    void begin_block(const Real* rows, int n_rows, std::int64_t block,
                     Workspace& space) const {
        double* sums = space.sums.data() + block * kBlockRows * forest_.n_outputs;
        for (std::int64_t k = 0; k < forest_.n_outputs; ++k)
            std::fill_n(sums + k * kBlockRows, kBlockRows, forest_.base[k]);
        if (masks_of<Real>().rank)
            masks_of<Real>().rank(forest_, rows, n_columns(), n_rows,
                                  space.bins.data() + block * kBlockRows * forest_.n_bins);
        if (!any_walked_) return;
        double* inputs = space.inputs.data() + block * kBlockRows * n_inputs_;
        for (int row = 0; row < n_rows; ++row)
            read_inputs(forest_, rows + row * n_columns(), inputs + row * n_inputs_);
    }

    template <class Real>
    void add_tree(std::int64_t number, std::int64_t block, int n_rows,
                  Workspace& space) const {
        const Tree& tree = forest_.trees[number];
        double* sums = space.sums.data() + block * kBlockRows * forest_.n_outputs;
        if (tree.masked) {
            masks_of<Real>().add_tree(
                forest_, tree, n_rows, space.bins.data() + block * kBlockRows * forest_.n_bins,
                sums);
            return;
        }
        const double* inputs = space.inputs.data() + block * kBlockRows * n_inputs_;
        sums += tree.output * kBlockRows;
        if (forest_.any_categorical)
            walk_tree<true>(forest_, number, inputs, n_inputs_, n_rows, sums, kBlockRows);
        else
            walk_tree<false>(forest_, number, inputs, n_inputs_, n_rows, sums, kBlockRows);
    }

    // From sums to what is asked for, in place, by the formulas of ModelSpec.
    void link(double* out, bool probabilities) const {
        if (averages_) {
            if (!probabilities)
                for (std::int64_t k = 0; k < n_classes_; ++k) out[k] = std::log(out[k]);
            return;
        }
        if (n_classes_ > forest_.n_outputs) out[0] = 0.0;
        if (!probabilities) return;
        const double largest = *std::max_element(out, out + n_classes_);
        double total = 0.0;
        for (std::int64_t k = 0; k < n_classes_; ++k) {
            out[k] = out[k] == largest ? 1.0 : std::exp(out[k] - largest);
            total += out[k];
        }
        for (std::int64_t k = 0; k < n_classes_; ++k) out[k] /= total;
    }

    Forest forest_;
    std::int64_t n_classes_;
    bool averages_;
    Masks<float> float_masks_;
    Masks<double> double_masks_;
    std::int64_t n_inputs_;  // with that of the leaves
    bool any_walked_;
    std::int64_t slice_rows_;
    std::vector<std::int64_t> chunks_;  // first tree of each, and the end
};

}  // namespace trees
}  // namespace skdistill
