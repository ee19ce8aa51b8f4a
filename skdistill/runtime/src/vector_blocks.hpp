// Blocks of rows through the network, for one instruction set.

#include "../../losses/src/vector.hpp"
#include "../../losses/src/vector_math.hpp"
#include "fused.hpp"
#include "dense.hpp"
#include "search.hpp"
#include "inputs.hpp"
#include "lookups.hpp"
#include "outputs.hpp"

constexpr Shape kShape = {kLanes<float>, kPanel, kTablePanel};

// Columns are read one after the other: without this each value would be waited for.
template <class In>
SKDISTILL_INLINE void fetch(const In* values, std::int64_t n) {
    constexpr std::int64_t per_line = 64 / sizeof(In);
    for (std::int64_t i = 0; i < n; i += per_line) __builtin_prefetch(values + i);
}

template <class In>
SKDISTILL_INLINE void first_layer(const Packed& packed, const In* values, int n_rows,
                                  const Workspace& space, float* units,
                                  std::int64_t unit_stride, bool rectify) {
    const std::int64_t stride = packed.n_columns;
    const std::int64_t input_stride = packed.n_inputs_padded;
    if (packed.lines.size)
        read_lines(packed.lines, values, stride, n_rows, input_stride, space);
    if (n_rows == 1) {
        read_columns_once(packed, values, space);
    } else if (packed.curves.size + packed.tables.size) {
        fetch(values, n_rows * stride);
        read_columns(packed, Columns<In>{values, stride, n_rows, space},
                     space.inputs + packed.lines.size, input_stride);
    }
    const DenseRows rows = {space.inputs, input_stride, units, unit_stride, n_rows};
    const bool has_lookups = packed.has_lookups();
    dense(packed.layers[0], rows, rectify && !has_lookups);
    if (!has_lookups) return;
    for (int c = 0; c < packed.categories.size; ++c)
        read_levels(packed.categories[c], values, stride, n_rows,
                    space.segments + (packed.tables.size + c) * space.rows);
    add_lookups(packed, rectify,
                {space.segments, space.fractions, space.rows, units, unit_stride,
                 n_rows});
}

template <class In>
static void score_block(const Packed& packed, const In* values, int n_rows,
                        Wanted wanted, void* out, const Workspace& space) {
    const int last = packed.layers.size - 1;
    float* units = space.activations[0];
    std::int64_t stride = packed.layers[0].n_padded;
    first_layer(packed, values, n_rows, space, units, stride, last > 0);
    for (int i = 1; i <= last; ++i) {
        const PackedLayer& layer = packed.layers[i];
        const DenseRows rows = {units, stride, space.activations[i % 2], layer.n_padded,
                                n_rows};
        if (layer.as_dots)
            dots(layer, rows);
        else
            dense(layer, rows, i < last);
        units = rows.units;
        stride = rows.unit_stride;
    }
    if (wanted == Wanted::kLogOdds)
        write_log_odds(packed, units, stride, n_rows, static_cast<double*>(out));
    else if (wanted == Wanted::kProbabilities)
        write_probabilities(packed, units, stride, n_rows, space.exponents,
                            static_cast<double*>(out));
    else
        write_probabilities(packed, units, stride, n_rows, space.exponents,
                            static_cast<float*>(out));
}
