// The part of the first layer that is looked up: rows of tables, added to its units.

// Of a panel of a table: its sums stay in registers.
constexpr int kTablePanel = kBytes == 16 ? 32 : 64;
// Tables that are worked on together are not thrown out of the cache in between.
constexpr std::int64_t kGroupBytes = 40 * 1024;
constexpr int kGroupTables = 4;

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

// Where a row's segment begins is read one row ahead: loads do not wait for loads.
template <int vectors, int count>
SKDISTILL_OUTLINE void add_tables(const Packed& packed, int first, int unit,
                                  const LookupRows& l) {
    constexpr int lanes = kLanes<float>;
    constexpr std::int64_t width = vectors * lanes;
    const std::int64_t stride = l.stride;
    const std::int32_t* segments = l.segments + first * stride;
    const float* fractions = l.fractions + first * stride;
    const float* panels[count];
    std::int64_t next[count];
#pragma GCC unroll 8
    for (int t = 0; t < count; ++t) {
        const PackedTable& table = packed.tables[first + t];
        panels[t] =
            table.rows.get() + static_cast<std::int64_t>(table.n_rows) * unit;
        next[t] = segments[t * stride];
    }
    float* units = l.units + unit;
    const int n_rows = l.n_rows;
    for (int r = 0; r < n_rows; ++r, ++fractions, units += l.unit_stride) {
        const float* rows[count];
        segments += r + 1 < n_rows;
#pragma GCC unroll 8
        for (int t = 0; t < count; ++t) {
            rows[t] = panels[t] + next[t] * width;
            next[t] = segments[t * stride];
        }
        Vector<float> sums[vectors];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sums[v] = load(units + v * lanes);
#pragma GCC unroll 8
        for (int t = 0; t < count; ++t)
            add_interpolated<vectors>(sums, rows[t], fractions[t * stride]);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) store(units + v * lanes, sums[v]);
    }
}

// All tables of one row.
template <int vectors>
SKDISTILL_OUTLINE void add_tables_once(const Packed& packed, int unit,
                                       const LookupRows& l) {
    constexpr int lanes = kLanes<float>;
    constexpr std::int64_t width = vectors * lanes;
    float* units = l.units + unit;
    Vector<float> sums[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sums[v] = load(units + v * lanes);
    for (int t = 0; t < packed.tables.size; ++t) {
        const PackedTable& table = packed.tables[t];
        const float* panel =
            table.rows.get() + static_cast<std::int64_t>(table.n_rows) * unit;
        add_interpolated<vectors>(sums, panel + l.segments[t * l.stride] * width,
                                  l.fractions[t * l.stride]);
    }
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) store(units + v * lanes, sums[v]);
}

// Groups of tables: as many as stay in the cache, and their addresses in registers.
template <int vectors>
SKDISTILL_INLINE void add_all_tables(const Packed& packed, int unit,
                                     const LookupRows& l) {
    constexpr std::int64_t row_bytes = vectors * kLanes<float> * sizeof(float);
    const int n_tables = packed.tables.size;
    for (int first = 0, count; first < n_tables; first += count) {
        std::int64_t bytes = packed.tables[first].n_rows * row_bytes;
        for (count = 1; first + count < n_tables && count < kGroupTables; ++count) {
            bytes += packed.tables[first + count].n_rows * row_bytes;
            if (bytes > kGroupBytes) break;
        }
        switch (count) {
            case 4: add_tables<vectors, 4>(packed, first, unit, l); break;
            case 3: add_tables<vectors, 3>(packed, first, unit, l); break;
            case 2: add_tables<vectors, 2>(packed, first, unit, l); break;
            default: add_tables<vectors, 1>(packed, first, unit, l);
        }
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
    if (l.n_rows == 1)
        add_tables_once<vectors>(packed, unit, l);
    else
        add_all_tables<vectors>(packed, unit, l);
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
