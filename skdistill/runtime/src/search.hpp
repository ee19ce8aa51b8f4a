// On which segment of a column's points a value lies, and where on it.
//
// One value at a time, compared with many points; or, with the widest vectors, many
// values at a time, each of which finds its points by permutations of registers.

// How many of as many points as there are lanes are not above the value: the first.
template <class Real>
SKDISTILL_INLINE int reached(const Real* points, Real value) {
#if SKDISTILL_VECTOR_BYTES == 64
    if constexpr (sizeof(Real) == 4)
        return __builtin_popcount(_mm512_cmp_ps_mask(
            _mm512_loadu_ps(points), _mm512_set1_ps(value), _CMP_LE_OQ));
    else
        return __builtin_popcount(_mm512_cmp_pd_mask(
            _mm512_loadu_pd(points), _mm512_set1_pd(value), _CMP_LE_OQ));
#else
    const Mask<Real> mask = load(points) <= broadcast(value);
#if SKDISTILL_VECTOR_BYTES == 32
    const int bits = sizeof(Real) == 4 ? _mm256_movemask_ps((__m256)mask)
                                       : _mm256_movemask_pd((__m256d)mask);
    return __builtin_popcount(bits);
#else
    return static_cast<int>(-sum_lanes(mask));
#endif
#endif
}

template <class Real>
SKDISTILL_INLINE int segment_of(const PackedPoints<Real>& points, Real value) {
    int chunk = 0;
    for (int i = 0; i < points.n_pivots; i += kLanes<Real>)
        chunk += reached(points.pivots.get() + i, value);
    chunk *= kLanes<Real>;
    return chunk + reached(points.inner.get() + chunk, value);
}

template <class Real>
SKDISTILL_INLINE void locate_value(const PackedSearch& search,
                                   const PackedPoints<Real>& points, double value,
                                   std::int32_t& segment, float& fraction) {
    const double u = (value - search.offset) * search.scale;
    if (u != u) {
        segment = search.n_segments + 1;
        fraction = 0;
        return;
    }
    const Real position = static_cast<Real>(clipped(u, search.low, search.high));
    segment = segment_of(points, position);
    fraction = static_cast<float>((position - points.starts.get()[segment]) *
                                  points.reciprocals.get()[segment]);
}

#if SKDISTILL_VECTOR_BYTES == 64
// Number `index` of a table of 32 times as many numbers, less than 32 times quarters.
template <int quarters>
SKDISTILL_INLINE Vector<float> number_of(const float* table, Mask<float> index) {
    Vector<float> found{};
#pragma GCC unroll 4
    for (int q = 0; q < quarters; ++q) {
        const Vector<float> here = (Vector<float>)_mm512_permutex2var_ps(
            _mm512_load_ps(table + 32 * q), (__m512i)index,
            _mm512_load_ps(table + 32 * q + 16));
        found = q == 0 ? here : select<float>(index >= 32 * q, here, found);
    }
    return found;
}

template <int quarters>
SKDISTILL_INLINE void locate_vector(const PackedSearch& search, const double* values,
                                    std::int32_t* segments, float* fractions) {
    const PackedPoints<float>& points = search.floats;
    const Vector<double> offset = broadcast(search.offset);
    const Vector<double> scale = broadcast(search.scale);
    const Vector<double> low = broadcast(search.low), high = broadcast(search.high);
    Doubles<float> exact;
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i)
        exact.part[i] = clipped(
            (load(values + i * kLanes<double>) - offset) * scale, low, high);
    const Vector<float> position = from_doubles(exact);
    Mask<float> segment{};
#pragma GCC unroll 4
    for (int q = 1; q < quarters; ++q)
        segment -= (position >= points.inner.get()[32 * q - 1]);
    segment *= 32;
#pragma GCC unroll 8
    for (int step = 16; step > 0; step /= 2) {
        const Vector<float> point =
            number_of<quarters>(points.inner.get(), segment + (step - 1));
        segment += (position >= point) & step;
    }
    const Vector<float> fraction =
        (position - number_of<quarters>(points.starts.get(), segment)) *
        number_of<quarters>(points.reciprocals.get(), segment);
    const Mask<float> missing = position != position;
    const Mask<float> row = missing ? search.n_segments + 1 + Mask<float>{} : segment;
    __builtin_memcpy(segments, &row, sizeof row);
    store(fractions, select<float>(missing, Vector<float>{}, fraction));
}

template <int quarters>
SKDISTILL_OUTLINE void locate_vectors(const PackedSearch& search, const double* values,
                                      int n, std::int32_t* segments, float* fractions) {
    for (int r = 0; r < n; r += kLanes<float>)
        locate_vector<quarters>(search, values + r, segments + r, fractions + r);
}
#endif

// Of rows of a table: segments and fractions are written in whole vectors.
template <class In>
SKDISTILL_OUTLINE void locate(const PackedSearch& search, const In* values,
                              std::int64_t stride, int n_rows, std::int32_t* segments,
                              float* fractions,
                              [[maybe_unused]] const Workspace& space) {
    values += search.column;
    if (search.in_double) {
        for (int r = 0; r < n_rows; ++r)
            locate_value(search, search.doubles, values[r * stride], segments[r],
                         fractions[r]);
        return;
    }
#if SKDISTILL_VECTOR_BYTES == 64
    if (n_rows > 4 && search.n_segments <= 128) {
        for (int r = 0; r < n_rows; ++r) space.column[r] = values[r * stride];
        for (int r = n_rows; r % kLanes<float>; ++r) space.column[r] = 0;
        switch ((search.n_segments - 1) / 32) {
            case 0: locate_vectors<1>(search, space.column, n_rows, segments, fractions); break;
            case 1: locate_vectors<2>(search, space.column, n_rows, segments, fractions); break;
            case 2: locate_vectors<3>(search, space.column, n_rows, segments, fractions); break;
            default: locate_vectors<4>(search, space.column, n_rows, segments, fractions);
        }
        return;
    }
#endif
    for (int r = 0; r < n_rows; ++r)
        locate_value(search, search.floats, values[r * stride], segments[r],
                     fractions[r]);
}
