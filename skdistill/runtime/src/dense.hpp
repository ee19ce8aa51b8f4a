// Products of activations and weights: each sum starts from the bias and goes through
// the inputs in order, whatever tile it is a part of.

constexpr int kTileRows = 6;
// Of a panel of weights: six rows of accumulators fill the registers.
constexpr int kPanelVectors = kBytes == 64 ? 4 : 2;
constexpr int kPanel = kPanelVectors * kLanes<float>;

template <int rows, int vectors, bool rectify>
SKDISTILL_INLINE void dense_tile(const float* inputs, std::int64_t n_inputs,
                                 std::int64_t input_stride, const float* weights,
                                 const float* biases, float* units,
                                 std::int64_t unit_stride) {
    constexpr int lanes = kLanes<float>;
    Vector<float> sums[rows][vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
        const Vector<float> bias = load(biases + v * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) sums[r][v] = bias;
    }
    for (std::int64_t k = 0; k < n_inputs; ++k) {
        Vector<float> weight[vectors];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            weight[v] = load(weights + (k * vectors + v) * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const Vector<float> input = broadcast(inputs[r * input_stride + k]);
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v)
                sums[r][v] = fused(input, weight[v], sums[r][v]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
            const Vector<float> value =
                rectify ? larger<float>(sums[r][v], Vector<float>{}) : sums[r][v];
            store(units + r * unit_stride + v * lanes, value);
        }
}

struct DenseRows {
    const float* inputs;
    std::int64_t input_stride;
    float* units;
    std::int64_t unit_stride;
    int n_rows;
};

template <int vectors, bool rectify>
SKDISTILL_OUTLINE void dense_panel(const DenseRows& d, std::int64_t n_inputs,
                                   const float* weights, const float* biases,
                                   std::int64_t first_unit) {
    const float* inputs = d.inputs;
    float* units = d.units + first_unit;
    int left = d.n_rows;
#define SKDISTILL_TILE(rows)                                                         \
    dense_tile<rows, vectors, rectify>(inputs, n_inputs, d.input_stride, weights,    \
                                       biases, units, d.unit_stride)
    for (; left >= kTileRows; left -= kTileRows) {
        SKDISTILL_TILE(kTileRows);
        inputs += kTileRows * d.input_stride;
        units += kTileRows * d.unit_stride;
    }
    switch (left) {
        case 5: SKDISTILL_TILE(5); break;
        case 4: SKDISTILL_TILE(4); break;
        case 3: SKDISTILL_TILE(3); break;
        case 2: SKDISTILL_TILE(2); break;
        case 1: SKDISTILL_TILE(1); break;
        default: break;
    }
#undef SKDISTILL_TILE
}

// One row: several panels at once, or the sums would wait for each other.
template <int panels, bool rectify>
SKDISTILL_INLINE void dense_row(const float* inputs, std::int64_t n_inputs,
                                const float* weights, const float* biases,
                                float* units) {
    constexpr int lanes = kLanes<float>, vectors = kPanelVectors;
    const std::int64_t stride = n_inputs * kPanel;
    Vector<float> sums[panels][vectors];
#pragma GCC unroll 8
    for (int p = 0; p < panels; ++p)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            sums[p][v] = load(biases + (p * vectors + v) * lanes);
    for (std::int64_t k = 0; k < n_inputs; ++k) {
        const Vector<float> input = broadcast(inputs[k]);
#pragma GCC unroll 8
        for (int p = 0; p < panels; ++p)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v)
                sums[p][v] = fused(
                    input, load(weights + p * stride + (k * vectors + v) * lanes),
                    sums[p][v]);
    }
#pragma GCC unroll 8
    for (int p = 0; p < panels; ++p)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
            const Vector<float> value =
                rectify ? larger<float>(sums[p][v], Vector<float>{}) : sums[p][v];
            store(units + (p * vectors + v) * lanes, value);
        }
}

template <bool rectify>
static void dense_of(const PackedLayer& layer, const DenseRows& d) {
    const float* weights = layer.weights.get();
    const float* biases = layer.biases.get();
    const std::int64_t n_inputs = layer.n_inputs;
    int unit = 0;
    if (d.n_rows == 1) {
        constexpr int at_once = 8 / kPanelVectors;
        for (; unit + at_once * kPanel <= layer.n_padded; unit += at_once * kPanel)
            dense_row<at_once, rectify>(d.inputs, n_inputs, weights + unit * n_inputs,
                                        biases + unit, d.units + unit);
    }
    for (; unit + kPanel <= layer.n_padded; unit += kPanel)
        dense_panel<kPanelVectors, rectify>(d, n_inputs, weights + unit * n_inputs,
                                            biases + unit, unit);
    weights += unit * n_inputs;
    biases += unit;
    if constexpr (kPanel > kUnitPadding) {
        switch ((layer.n_padded - unit) / kUnitPadding) {
            case 3: dense_panel<3, rectify>(d, n_inputs, weights, biases, unit); break;
            case 2: dense_panel<2, rectify>(d, n_inputs, weights, biases, unit); break;
            case 1: dense_panel<1, rectify>(d, n_inputs, weights, biases, unit); break;
            default: break;
        }
    }
}

SKDISTILL_INLINE void dense(const PackedLayer& layer, const DenseRows& d, bool rectify) {
    if (rectify)
        dense_of<true>(layer, d);
    else
        dense_of<false>(layer, d);
}

// A last layer of few units: lane i adds up every 16th input from input i on.
template <int rows>
SKDISTILL_INLINE void dot_rows(const PackedLayer& layer, const float* inputs,
                               std::int64_t input_stride, float* units,
                               std::int64_t unit_stride) {
    constexpr int lanes = kLanes<float>;
    const std::int64_t n_padded = (layer.n_inputs + 15) / 16 * 16;
    for (int j = 0; j < layer.n_units; ++j) {
        const float* weights = layer.weights.get() + j * input_stride;
        Sixteen sums[rows] = {};
        for (std::int64_t k = 0; k < n_padded; k += 16)
#pragma GCC unroll 4
            for (int p = 0; p < kParts; ++p) {
                const Vector<float> weight = load(weights + k + p * lanes);
#pragma GCC unroll 4
                for (int r = 0; r < rows; ++r)
                    sums[r].part[p] =
                        fused(load(inputs + r * input_stride + k + p * lanes), weight,
                              sums[r].part[p]);
            }
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r)
            units[r * unit_stride + j] = sum(sums[r]) + layer.biases.get()[j];
    }
}

SKDISTILL_OUTLINE void dots(const PackedLayer& layer, const DenseRows& d) {
    int r = 0;
    for (; r + 4 <= d.n_rows; r += 4)
        dot_rows<4>(layer, d.inputs + r * d.input_stride, d.input_stride,
                    d.units + r * d.unit_stride, d.unit_stride);
    for (; r < d.n_rows; ++r)
        dot_rows<1>(layer, d.inputs + r * d.input_stride, d.input_stride,
                    d.units + r * d.unit_stride, d.unit_stride);
}
