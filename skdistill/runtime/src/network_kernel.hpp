// Scores the rows of a table by a network.
//
// network.hpp           what a network is
// portable_rows.hpp     one row and one number at a time
// packed.hpp            a network and memory in the order of vectors
// instruction_sets.hpp  compiles, once per instruction set,
//   vector_blocks.hpp     blocks of rows through the layers, from
//   fused.hpp             products and sums,
//   search.hpp            places of numbers along the points of columns,
//   inputs.hpp            inputs of the first layer,
//   lookups.hpp           tables of the first layer,
//   dense.hpp             products of activations and weights,
//   outputs.hpp           and exponentials
//
// A row's result has the same bits whatever block, thread or call it is in: every sum
// has one order, from the bias through inputs, tables and categories.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "instruction_sets.hpp"
#include "network.hpp"
#include "packed.hpp"
#include "portable_rows.hpp"

namespace skdistill {
namespace runtime {

// Memory on the stack for one row of a network that is not very wide.
constexpr std::size_t kStackBytes = 24 * 1024;
// With fewer rows for each, threads would not be started before the work is done.
constexpr std::int64_t kThreadRows = 8 * kBlockRows;
// What a thread takes at a time: little, so that none is left with much at the end.
constexpr std::int64_t kSliceRows = 2 * kBlockRows;

class NetworkKernel {
  public:
    NetworkKernel(Network network, InstructionSet set)
        : network_(std::move(network)),
          float_block_(block_function<float>(set)),
          double_block_(block_function<double>(set)) {
        if (!float_block_) return;
        packed_ = std::make_unique<Packed>(network_, shape(set));
        row_bytes_ = Workspace::bytes(*packed_, 1);
        // Tables may be large, and are packed now.
        network_.tables = {};
        network_.categories = {};
    }

    int n_columns() const { return network_.n_columns; }
    int n_classes() const { return network_.n_classes; }

    // Throws std::bad_alloc.
    template <class In>
    void score(const In* values, std::int64_t n_rows, Wanted wanted, void* out,
               int n_threads) const {
        if (!packed_) {
            portable::score(network_, values, n_rows, wanted, out);
        } else if (n_rows == 1 && row_bytes_ <= kStackBytes) {
            alignas(kAlignment) char memory[kStackBytes];
            block<In>()(*packed_, values, 1, wanted, out, Workspace(*packed_, 1, memory));
        } else {
            score_slices(values, n_rows, wanted, out, n_threads);
        }
    }

  private:
    template <class In>
    BlockFunction<In> block() const {
        if constexpr (sizeof(In) == 4)
            return float_block_;
        else
            return double_block_;
    }

    template <class In>
    void score_rows(const In* values, std::int64_t begin, std::int64_t end,
                    Wanted wanted, char* out, const Workspace& space) const {
        const std::int64_t row_bytes =
            n_classes() * (wanted == Wanted::kFloatProbabilities ? 4 : 8);
        for (std::int64_t row = begin; row < end; row += kBlockRows)
            block<In>()(*packed_, values + row * n_columns(),
                        static_cast<int>(std::min<std::int64_t>(kBlockRows, end - row)),
                        wanted, out + row * row_bytes, space);
    }

    template <class In>
    void score_slices(const In* values, std::int64_t n_rows, Wanted wanted, void* out,
                      int n_threads) const {
        const int space_rows =
            static_cast<int>(std::min<std::int64_t>(n_rows, kBlockRows));
        const std::size_t bytes = Workspace::bytes(*packed_, space_rows);
        const std::int64_t n_slices = (n_rows + kSliceRows - 1) / kSliceRows;
        const std::int64_t n_workers = std::max<std::int64_t>(
            std::min<std::int64_t>(n_threads, (n_rows + kThreadRows - 1) / kThreadRows),
            1);
        // All of it before any thread starts: none of them may throw.
        const std::unique_ptr<Uninitialised[]> memory(
            new Uninitialised[n_workers * (bytes / kAlignment)]);
        std::atomic<std::int64_t> next{0};
        const auto work = [&](std::int64_t worker) {
            char* own = memory[worker * (bytes / kAlignment)].bytes;
            const Workspace space(*packed_, space_rows, own);
            for (std::int64_t i = next++; i < n_slices; i = next++)
                score_rows(values, i * kSliceRows,
                           std::min((i + 1) * kSliceRows, n_rows), wanted,
                           static_cast<char*>(out), space);
        };
        std::vector<std::thread> helpers;
        helpers.reserve(n_workers - 1);
        try {
            while (static_cast<std::int64_t>(helpers.size()) < n_workers - 1)
                helpers.emplace_back(work, helpers.size() + 1);
        } catch (const std::system_error&) {
            // Out of threads: those that exist share the slices, the result is the same.
        }
        work(0);
        for (std::thread& helper : helpers) helper.join();
    }

    struct alignas(kAlignment) Uninitialised {
        Uninitialised() {}
        char bytes[kAlignment];
    };

    Network network_;
    std::unique_ptr<Packed> packed_;
    std::size_t row_bytes_ = 0;
    BlockFunction<float> float_block_;
    BlockFunction<double> double_block_;
};

// First infinite number of the columns, or -1.
template <class In>
std::int64_t first_infinite_row(const In* values, std::int64_t n_rows,
                                std::int64_t n_columns,
                                const std::vector<std::int32_t>& columns) {
    for (std::int64_t row = 0; row < n_rows; ++row)
        for (const std::int32_t column : columns)
            if (std::isinf(values[row * n_columns + column])) return row;
    return -1;
}

}  // namespace runtime
}  // namespace skdistill
