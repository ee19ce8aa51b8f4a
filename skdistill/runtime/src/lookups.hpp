// The part of the first layer that is looked up: rows of tables, added to its units.

// Of a panel of a table: its sums stay in registers.
constexpr int kTablePanel = kBytes == 16 ? 32 : 64;
// Tables that are worked on together are not thrown out of the cache in between.
constexpr std::int64_t kGroupBytes = 40 * 1024;
constexpr int kGroupTables = 8;

// Tables from first to end - 1, of `row_bytes` at most each.
struct LookupRows {
    const std::int32_t* segments;
    const float* fractions;
    std::int64_t stride;
    float* units;
    std::int64_t unit_stride;
    int n_rows;
};

template <int vectors>
SKDISTILL_INLINE void add_interpolated(Vector<float> (&sums)[vectors],
                                       const float* rows, float fraction) {
    constexpr int lanes = kLanes<float>;
    const Vector<float> upper = broadcast(fraction), lower = broadcast(1 - fraction);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
        sums[v] = fused(lower, load(rows + v * lanes), sums[v]);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
        sums[v] = fused(upper, load(rows + (vectors + v) * lanes), sums[v]);
}

template <int vectors>
SKDISTILL_OUTLINE void add_tables(const Packed& packed, int first, int end, int unit,
                                  const LookupRows& l) {
    constexpr int lanes = kLanes<float>, width = vectors * lanes;
    const float* panels[kGroupTables];
    for (int t = first; t < end; ++t) {
        const PackedTable& table = packed.tables[t];
        panels[t - first] =
            table.rows.get() + static_cast<std::int64_t>(table.n_rows) * unit;
    }
    const std::int32_t* segments = l.segments + first * l.stride;
    const float* fractions = l.fractions + first * l.stride;
    for (int r = 0; r < l.n_rows; ++r) {
        float* units = l.units + r * l.unit_stride + unit;
        Vector<float> sums[vectors];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sums[v] = load(units + v * lanes);
        for (int t = 0; t < end - first; ++t) {
            const std::int64_t segment = segments[t * l.stride + r];
            add_interpolated<vectors>(sums, panels[t] + segment * width,
                                      fractions[t * l.stride + r]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) store(units + v * lanes, sums[v]);
    }
}

// Adds categories, and rectifies: the last step of a layer with lookups.
template <int vectors>
SKDISTILL_OUTLINE void add_categories(const Packed& packed, int unit, bool rectify,
                                      const LookupRows& l) {
    constexpr int lanes = kLanes<float>, width = vectors * lanes;
    const std::int32_t* levels = l.segments + packed.tables.size * l.stride;
    for (int r = 0; r < l.n_rows; ++r) {
        float* units = l.units + r * l.unit_stride + unit;
        Vector<float> sums[vectors];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sums[v] = load(units + v * lanes);
        for (int c = 0; c < packed.categories.size; ++c) {
            const PackedCategories& categories = packed.categories[c];
            const float* row =
                categories.rows.get() +
                static_cast<std::int64_t>(categories.n_rows) * unit +
                static_cast<std::int64_t>(levels[c * l.stride + r]) * width;
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v) sums[v] += load(row + v * lanes);
        }
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            store(units + v * lanes,
                  rectify ? larger<float>(sums[v], Vector<float>{}) : sums[v]);
    }
}

template <int sixteens>
SKDISTILL_INLINE void lookup_panel(const Packed& packed, int unit, bool rectify,
                                   const LookupRows& l) {
    constexpr int vectors = sixteens * kUnitPadding / kLanes<float>;
    constexpr std::int64_t row_bytes = sixteens * kUnitPadding * sizeof(float);
    const int n_tables = packed.tables.size;
    for (int first = 0, end; first < n_tables; first = end) {
        std::int64_t bytes = packed.tables[first].n_rows * row_bytes;
        for (end = first + 1; end < n_tables && end < first + kGroupTables; ++end) {
            bytes += packed.tables[end].n_rows * row_bytes;
            if (bytes > kGroupBytes && l.n_rows > 1) break;
        }
        add_tables<vectors>(packed, first, end, unit, l);
    }
    add_categories<vectors>(packed, unit, rectify, l);
}

SKDISTILL_INLINE void add_lookups(const Packed& packed, bool rectify,
                                  const LookupRows& l) {
    const int n_padded = packed.layers[0].n_padded;
    int unit = 0;
    for (; unit + kTablePanel <= n_padded; unit += kTablePanel)
        lookup_panel<kTablePanel / kUnitPadding>(packed, unit, rectify, l);
    switch ((n_padded - unit) / kUnitPadding) {
        case 3:
            if constexpr (kTablePanel > 48) lookup_panel<3>(packed, unit, rectify, l);
            break;
        case 2:
            if constexpr (kTablePanel > 32) lookup_panel<2>(packed, unit, rectify, l);
            break;
        case 1: lookup_panel<1>(packed, unit, rectify, l); break;
        default: break;
    }
}
