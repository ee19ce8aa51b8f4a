// A network in the order in which the vectors of an instruction set read it.
//
// Compiled once, for every machine: what is compiled for an instruction set must not
// instantiate anything of the standard library, which the linker would share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

#include "network.hpp"

namespace skdistill {
namespace runtime {

constexpr std::size_t kAlignment = 64;

// Zeros, aligned for every vector.
template <class T>
class Buffer {
  public:
    explicit Buffer(std::size_t size = 0)
        : data_(static_cast<T*>(::operator new(std::max<std::size_t>(size, 1) * sizeof(T),
                                               std::align_val_t(kAlignment)))) {
        std::fill_n(data_, size, T());
    }
    Buffer(Buffer&& other) noexcept : data_(other.data_) { other.data_ = nullptr; }
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }
    ~Buffer() { ::operator delete(data_, std::align_val_t(kAlignment)); }
    T* get() const { return data_; }

  private:
    T* data_;
};

// Units of every layer are padded to a multiple of it, with units that are 0.
constexpr int kUnitPadding = 16;
// Rows that go through the network together: their activations stay in the cache.
constexpr int kBlockRows = 192;

inline int padded(int n) {
    return std::max((n + kUnitPadding - 1) / kUnitPadding, 1) * kUnitPadding;
}

// Vectors of an instruction set: lanes of floats, and units of the panels of weights
// and of tables that it works on at once.
struct Shape {
    int lanes, panel, table_panel;
};

// Chunks of points, as many as there are lanes, that are compared without looking at
// the last point of each chunk first.
constexpr int kFewChunks = 4;

// The points that are compared, and the last of each chunk; padded by infinity.
template <class Real>
struct PackedPoints {
    int n_inner = 0;   // in whole vectors
    int n_pivots = 0;  // in whole vectors; 0: there are few chunks
    Buffer<Real> pivots, inner;

    PackedPoints() = default;
    PackedPoints(const Search& search, int lanes) {
        const int n_segments = search.n_segments();
        const int n_chunks = std::max((n_segments - 2 + lanes) / lanes, 1);
        const int size = (n_segments + 31) / 32 * 32 + 2 * lanes;
        const Real infinity = std::numeric_limits<Real>::infinity();
        n_inner = n_chunks * lanes;
        if (n_chunks > kFewChunks) n_pivots = (n_chunks + lanes - 1) / lanes * lanes;
        pivots = Buffer<Real>(n_pivots);
        inner = Buffer<Real>(size);
        std::fill_n(inner.get(), size, infinity);
        for (int i = 1; i < n_segments; ++i)
            inner.get()[i - 1] = static_cast<Real>(search.points[i]);
        for (int i = 0; i < n_pivots; ++i)
            pivots.get()[i] =
                i < n_chunks ? inner.get()[(i + 1) * lanes - 1] : infinity;
    }
};

// Segments that are searched in registers: 32 floats of each kind fill two of them.
constexpr int kSegmentsInRegisters = 128;

// A binary tree of the inner points: nodes 2 k and 2 k + 1 follow node k. Padded by
// infinity to five, six or seven levels.
inline Buffer<float> pack_tree(const Search& search) {
    const int n_segments = search.n_segments();
    int size = 32;
    while (size < n_segments) size *= 2;
    Buffer<float> tree(size);
    for (int first = 1; first < size; first *= 2)
        for (int i = 0; i < first; ++i) {
            const int point = (2 * i + 1) * (size / 2 / first);
            tree.get()[first + i] = point < n_segments
                                        ? static_cast<float>(search.points[point])
                                        : std::numeric_limits<float>::infinity();
        }
    return tree;
}

// Where a segment starts, in two floats: what the first one leaves is in the second
// one, so that differences to a position, which is two numbers too, are exact. One
// value needs one of them: together they are in one line of the cache.
struct alignas(16) PackedSegment {
    float start, remainder, reciprocal;
};

struct PackedSearch {
    std::int32_t column;
    int n_segments;
    bool in_float, in_registers;
    double offset, scale, low, high;
    PackedPoints<float> floats;
    Buffer<PackedSegment> segments;
    PackedPoints<double> doubles;
    // The same for vectors of values.
    Buffer<float> tree, starts, remainders, reciprocals;
    Buffer<double> exact_starts, exact_reciprocals;

    PackedSearch(const Search& search, const Shape& shape)
        : column(search.column),
          n_segments(search.n_segments()),
          in_float(search.in_float),
          in_registers(in_float && n_segments <= kSegmentsInRegisters),
          offset(search.offset),
          scale(search.scale),
          low(search.low),
          high(search.high) {
        if (in_float)
            pack_floats(search, shape);
        else
            pack_doubles(search, shape);
        if (in_registers) pack_registers(search);
    }

  private:
    void pack_floats(const Search& search, const Shape& shape) {
        floats = PackedPoints<float>(search, shape.lanes);
        segments = Buffer<PackedSegment>(n_segments);
        for (int i = 0; i < n_segments; ++i) {
            const float start = static_cast<float>(search.points[i]);
            segments.get()[i] = {start, static_cast<float>(search.points[i] - start),
                                 static_cast<float>(search.reciprocals[i])};
        }
    }
    void pack_registers(const Search& search) {
        tree = pack_tree(search);
        starts = Buffer<float>(n_segments + 32);
        remainders = Buffer<float>(n_segments + 32);
        reciprocals = Buffer<float>(n_segments + 32);
        for (int i = 0; i < n_segments; ++i) {
            starts.get()[i] = segments.get()[i].start;
            remainders.get()[i] = segments.get()[i].remainder;
            reciprocals.get()[i] = segments.get()[i].reciprocal;
        }
    }
    void pack_doubles(const Search& search, const Shape& shape) {
        doubles = PackedPoints<double>(search, std::max(shape.lanes / 2, 1));
        exact_starts = Buffer<double>(n_segments);
        exact_reciprocals = Buffer<double>(n_segments);
        std::copy_n(search.points.begin(), n_segments, exact_starts.get());
        std::copy_n(search.reciprocals.begin(), n_segments, exact_reciprocals.get());
    }
};

struct PackedCurve {
    PackedSearch search;
    Buffer<float> values, steps;  // of segments, 0, and of what is missing

    PackedCurve(const Curve& curve, const Shape& shape)
        : search(curve.search, shape),
          values(curve.values.size()),
          steps(curve.values.size()) {
        const int n = curve.search.n_segments();
        std::copy(curve.values.begin(), curve.values.end(), values.get());
        for (int i = 0; i < n; ++i)
            steps.get()[i] = curve.values[i + 1] - curve.values[i];
    }
};

// Rows of units in panels of `width` units, the last one narrower.
inline Buffer<float> pack_rows(const Floats& rows, int n_rows, int n_units, int width,
                               int spare_rows = 0) {
    const int n_padded = padded(n_units), n_all = n_rows + spare_rows;
    Buffer<float> packed(static_cast<std::size_t>(n_all) * n_padded);
    for (int first = 0; first < n_padded; first += width) {
        const int own = std::min(width, n_padded - first);
        float* panel = packed.get() + static_cast<std::size_t>(n_all) * first;
        for (int i = 0; i < n_rows; ++i)
            for (int j = 0; j < own && first + j < n_units; ++j)
                panel[i * own + j] =
                    rows[static_cast<std::size_t>(i) * n_units + first + j];
    }
    return packed;
}

struct PackedTable {
    PackedSearch search;
    std::int32_t n_rows;
    Buffer<float> rows;

    // One row more, which is added 0 times to that of missing numbers.
    PackedTable(const Table& table, int n_units, const Shape& shape)
        : search(table.search, shape),
          n_rows(search.n_segments + 3),
          rows(pack_rows(table.rows, n_rows - 1, n_units, shape.table_panel, 1)) {}
};

struct PackedCategories {
    std::int32_t column, n_levels, n_rows;
    Buffer<float> rows;

    PackedCategories(const Categories& categories, int n_units, const Shape& shape)
        : column(categories.column),
          n_levels(categories.n_levels),
          n_rows(n_levels + 2),
          rows(pack_rows(categories.rows, n_rows, n_units, shape.table_panel)) {}
};

// A layer of few units is computed as dot products, so that no lane is idle.
constexpr int kMostDots = 8;

struct PackedLayer {
    int n_inputs, n_units, n_padded;
    bool as_dots;  // the last layer, if it is not the first too
    Buffer<float> weights;  // panels, or of each unit all inputs, padded
    Buffer<float> biases;

    PackedLayer(const Layer& layer, bool may_be_dots, const Shape& shape)
        : n_inputs(layer.n_inputs),
          n_units(layer.n_units),
          n_padded(padded(n_units)),
          as_dots(may_be_dots && n_units <= kMostDots),
          weights(as_dots ? Buffer<float>(static_cast<std::size_t>(padded(n_inputs)) *
                                          n_units)
                          : pack_rows(layer.weights, n_inputs, n_units, shape.panel)),
          biases(n_padded) {
        std::copy(layer.biases.begin(), layer.biases.end(), biases.get());
        for (int k = 0; as_dots && k < n_inputs; ++k)
            for (int j = 0; j < n_units; ++j)
                weights.get()[static_cast<std::size_t>(j) * padded(n_inputs) + k] =
                    layer.weights[static_cast<std::size_t>(k) * n_units + j];
    }
};

struct PackedLines {
    int size;
    bool in_order;  // line k is of column k
    Buffer<std::int32_t> columns;
    Buffer<double> lows, highs, offsets, scales;
    Buffer<float> fills;

    explicit PackedLines(const Lines& lines)
        : size(static_cast<int>(lines.columns.size())),
          in_order(true),
          columns(padded(size)),
          lows(padded(size)),
          highs(padded(size)),
          offsets(padded(size)),
          scales(padded(size)),
          fills(padded(size)) {
        for (int k = 0; k < size; ++k) in_order &= lines.columns[k] == k;
        std::copy(lines.columns.begin(), lines.columns.end(), columns.get());
        std::copy(lines.lows.begin(), lines.lows.end(), lows.get());
        std::copy(lines.highs.begin(), lines.highs.end(), highs.get());
        std::copy(lines.offsets.begin(), lines.offsets.end(), offsets.get());
        std::copy(lines.scales.begin(), lines.scales.end(), scales.get());
        std::copy(lines.fills.begin(), lines.fills.end(), fills.get());
    }
};

// Arrays instead of vectors: see above.
template <class T>
struct Span {
    const T* data = nullptr;
    int size = 0;
    const T& operator[](int i) const { return data[i]; }
};

struct Packed {
    int n_columns, n_classes, n_outputs;
    int n_inputs, n_inputs_padded, widest;
    bool is_binary;
    PackedLines lines;
    std::vector<PackedCurve> curve_store;
    std::vector<PackedTable> table_store;
    std::vector<PackedCategories> category_store;
    std::vector<PackedLayer> layer_store;
    Span<PackedCurve> curves;
    Span<PackedTable> tables;
    Span<PackedCategories> categories;
    Span<PackedLayer> layers;

    Packed(const Network& network, const Shape& shape)
        : n_columns(network.n_columns),
          n_classes(network.n_classes),
          n_outputs(network.n_outputs()),
          n_inputs(network.layers[0].n_inputs),
          n_inputs_padded(padded(n_inputs)),
          widest(0),
          is_binary(network.is_binary()),
          lines(network.lines) {
        const int n_units = network.layers[0].n_units;
        for (const Curve& curve : network.curves) curve_store.emplace_back(curve, shape);
        for (const Table& table : network.tables)
            table_store.emplace_back(table, n_units, shape);
        for (const Categories& categories : network.categories)
            category_store.emplace_back(categories, n_units, shape);
        for (const Layer& layer : network.layers) {
            const bool is_last = layer_store.size() + 1 == network.layers.size();
            layer_store.emplace_back(layer, is_last && !layer_store.empty(), shape);
            widest = std::max(widest, layer_store.back().n_padded);
        }
        curves = {curve_store.data(), static_cast<int>(curve_store.size())};
        tables = {table_store.data(), static_cast<int>(table_store.size())};
        categories = {category_store.data(), static_cast<int>(category_store.size())};
        layers = {layer_store.data(), static_cast<int>(layer_store.size())};
    }
    Packed(const Packed&) = delete;

    bool has_lookups() const { return tables.size + categories.size > 0; }
};

// Columns that are read together: a line of the cache has as many doubles.
constexpr int kColumns = 8;

// What a thread needs for the rows that it works on together, in one piece of memory.
struct Workspace {
    double* line;            // numbers of one row, in the order of lines
    double* columns;         // (kColumns, rows): numbers of columns next to each other
    float* inputs;           // (n_rows, n_inputs_padded)
    float* activations[2];   // (n_rows, widest)
    std::int32_t* segments;  // (n_tables + n_categories, rows)
    float* fractions;        // (n_tables, rows)
    std::int32_t* curve_segments;  // (rows,), of one curve
    float* curve_fractions;        // (rows,)
    double* exponents;       // (n_rows, n_classes)
    int rows;                // n_rows, in whole vectors

    static std::size_t bytes(const Packed& packed, int n_rows) {
        return Workspace(packed, n_rows, nullptr).used;
    }

    Workspace(const Packed& packed, int n_rows, char* memory)
        : rows(n_rows == 1 ? 1 : padded(n_rows)), used(0), memory_(memory) {
        const std::size_t n = rows;
        line = take<double>(padded(packed.lines.size));
        columns = take<double>(kColumns * n);
        inputs = take<float>(n * packed.n_inputs_padded);
        activations[0] = take<float>(n * packed.widest);
        activations[1] = take<float>(n * packed.widest);
        segments =
            take<std::int32_t>(n * (packed.tables.size + packed.categories.size));
        fractions = take<float>(n * packed.tables.size);
        curve_segments = take<std::int32_t>(n);
        curve_fractions = take<float>(n);
        exponents = take<double>(n * padded(packed.n_classes));
    }

    std::size_t used;

  private:
    template <class T>
    T* take(std::size_t size) {
        T* part = memory_ ? reinterpret_cast<T*>(memory_ + used) : nullptr;
        used += (size * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
        return part;
    }
    char* memory_;
};

}  // namespace runtime
}  // namespace skdistill
