// From the columns of a table to the inputs of the first layer.

SKDISTILL_INLINE void store_floats(float* to, Vector<double> values) {
    *reinterpret_cast<HalfMemory*>(to) = __builtin_convertvector(values, HalfOfFloats);
}

// As many lines as a vector of doubles has lanes.
template <class In>
SKDISTILL_INLINE void line_vector(const PackedLines& lines, std::int64_t k,
                                  const In* values, std::int64_t stride, int n_rows,
                                  float* inputs, std::int64_t input_stride) {
    const Vector<double> low = load(lines.lows.get() + k);
    const Vector<double> high = load(lines.highs.get() + k);
    const Vector<double> offset = load(lines.offsets.get() + k);
    const Vector<double> scale = load(lines.scales.get() + k);
    const Vector<double> fill = load_doubles(lines.fills.get() + k);
    for (int r = 0; r < n_rows; ++r) {
        const Vector<double> value = load_doubles(values + r * stride + k);
        const Vector<double> line = (clipped(value, low, high) - offset) * scale;
        store_floats(inputs + r * input_stride + k,
                     select<double>(value != value, fill, line));
    }
}

template <class In>
SKDISTILL_INLINE void lines_in_order(const PackedLines& lines, const In* values,
                                     std::int64_t stride, int n_rows, float* inputs,
                                     std::int64_t input_stride) {
    constexpr int lanes = kLanes<double>;
    std::int64_t k = 0;
    for (; k + lanes <= lines.size; k += lanes)
        line_vector(lines, k, values, stride, n_rows, inputs, input_stride);
    if (k == lines.size) return;
    if (k > 0) {
        // Some for a second time: beyond the last there is the next row, or nothing.
        line_vector(lines, lines.size - lanes, values, stride, n_rows, inputs,
                    input_stride);
        return;
    }
    for (int r = 0; r < n_rows; ++r) {
        In few[lanes] = {};
        for (int i = 0; i < lines.size; ++i) few[i] = values[r * stride + i];
        line_vector(lines, 0, few, 0, 1, inputs + r * input_stride, input_stride);
    }
}

template <class In>
SKDISTILL_OUTLINE void read_lines(const PackedLines& lines, const In* values,
                                  std::int64_t stride, int n_rows,
                                  std::int64_t input_stride, const Workspace& space) {
    if (lines.in_order) {
        lines_in_order(lines, values, stride, n_rows, space.inputs, input_stride);
        return;
    }
    const std::int32_t* columns = lines.columns.get();
    for (int r = 0; r < n_rows; ++r) {
        for (int k = 0; k < lines.size; ++k)
            space.line[k] = values[r * stride + columns[k]];
        lines_in_order(lines, space.line, 0, 1, space.inputs + r * input_stride,
                       input_stride);
    }
}

SKDISTILL_INLINE float value_of(const PackedCurve& curve, std::int32_t segment,
                                float fraction) {
    return fused(fraction, curve.steps.get()[segment], curve.values.get()[segment]);
}

// Places of one row on curves or tables. Several columns take each step together, so
// that none waits for the last step of another.
template <class In, class Searched, class Use>
SKDISTILL_INLINE void locate_once(Span<Searched> all, const In* values, Use use) {
    constexpr int together = 16;
    for (int first = 0; first < all.size; first += together) {
        const Searched* some = all.data + first;
        const int n = all.size - first < together ? all.size - first : together;
        double positions[together];
        std::int32_t segments[together];
        for (int i = 0; i < n; ++i)
            positions[i] = position_of(some[i].search, values[some[i].search.column]);
        for (int i = 0; i < n; ++i)
            segments[i] = segment_of(some[i].search, positions[i]);
        for (int i = 0; i < n; ++i) {
            float fraction;
            place_position(some[i].search, positions[i], segments[i], fraction);
            use(first + i, segments[i], fraction);
        }
    }
}

template <class In>
SKDISTILL_INLINE void read_columns_once(const Packed& packed, const In* values,
                                        const Workspace& space) {
    float* inputs = space.inputs + packed.lines.size;
    locate_once(packed.curves, values, [&](int i, std::int32_t segment, float fraction) {
        inputs[i] = value_of(packed.curves[i], segment, fraction);
    });
    locate_once(packed.tables, values, [&](int t, std::int32_t segment, float fraction) {
        space.segments[t * space.rows] = segment;
        space.fractions[t * space.rows] = fraction;
    });
}

template <class In>
SKDISTILL_INLINE void read_curve(const PackedCurve& curve, Columns<In>& columns,
                                 float* inputs, std::int64_t input_stride) {
    const Workspace& space = columns.space;
    columns.locate(curve.search, space.curve_segments, space.curve_fractions);
    for (int r = 0; r < columns.n_rows; ++r)
        inputs[r * input_stride] =
            value_of(curve, space.curve_segments[r], space.curve_fractions[r]);
}

// Curves, and where tables are looked up: a column's curve goes before its table, so
// that both find the column transposed.
template <class In>
SKDISTILL_OUTLINE void read_columns(const Packed& packed, Columns<In> columns,
                                    float* inputs, std::int64_t input_stride) {
    const Span<PackedCurve> curves = packed.curves;
    const Span<PackedTable> tables = packed.tables;
    const Workspace& space = columns.space;
    for (int i = 0, t = 0; i < curves.size || t < tables.size;) {
        const bool curve_is_next =
            t == tables.size ||
            (i < curves.size && curves[i].search.column <= tables[t].search.column);
        if (curve_is_next) {
            read_curve(curves[i], columns, inputs + i, input_stride);
            ++i;
        } else {
            columns.locate(tables[t].search, space.segments + t * space.rows,
                           space.fractions + t * space.rows);
            ++t;
        }
    }
}

// Rows of the categories' table.
template <class In>
SKDISTILL_OUTLINE void read_levels(const PackedCategories& categories, const In* values,
                                   std::int64_t stride, int n_rows,
                                   std::int32_t* levels) {
    const std::int32_t n_levels = categories.n_levels;
    values += categories.column;
    for (int r = 0; r < n_rows; ++r) {
        const In value = values[r * stride];
        if (value >= 0 && value < n_levels)
            levels[r] = static_cast<std::int32_t>(value);
        else
            levels[r] = value != value || value == -1 ? n_levels + 1 : n_levels;
    }
}
