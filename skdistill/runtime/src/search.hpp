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
    const Real* inner = points.inner.get();
    int count = 0;
    if (points.n_pivots == 0) {
        for (int i = 0; i < points.n_inner; i += kLanes<Real>)
            count += reached(inner + i, value);
        return count;
    }
    for (int i = 0; i < points.n_pivots; i += kLanes<Real>)
        count += reached(points.pivots.get() + i, value);
    count *= kLanes<Real>;
    return count + reached(inner + count, value);
}

SKDISTILL_INLINE void locate_value(const PackedSearch& search, double value,
                                   std::int32_t& segment, float& fraction) {
    const double u = (value - search.offset) * search.scale;
    if (u != u) {
        segment = search.n_segments + 1;
        fraction = 0;
        return;
    }
    const double position = clipped(u, search.low, search.high);
    const double* starts = search.starts.get();
    if (!search.in_float) {
        segment = segment_of(search.doubles, position);
        fraction = static_cast<float>((position - starts[segment]) *
                                      search.exact_reciprocals.get()[segment]);
        return;
    }
    const int found = segment_of(search.floats, static_cast<float>(position));
    const float difference = static_cast<float>(position - starts[found]);
    // Rounded up to the start of the next segment; the first one has nothing before.
    const bool above = difference < 0 && found > 0;
    segment = found - above;
    fraction = fused(difference, search.reciprocals.get()[segment],
                     static_cast<float>(above));
}

#if SKDISTILL_VECTOR_BYTES == 64
// A table of 32 times as many numbers, less than 32 times quarters, in registers.
template <class Real, int quarters>
struct Register {
    static constexpr int kNumbers = 2 * kLanes<Real>;  // that one instruction picks from
    static constexpr int kPicks = 32 * quarters / kNumbers;
    Vector<Real> parts[2 * kPicks];

    SKDISTILL_MEMBER explicit Register(const Real* numbers) {
#pragma GCC unroll 16
        for (int i = 0; i < 2 * kPicks; ++i) parts[i] = load(numbers + i * kLanes<Real>);
    }
    SKDISTILL_MEMBER Vector<Real> operator[](Mask<Real> index) const {
        Vector<Real> found = pick(index, 0);
#pragma GCC unroll 8
        for (int i = 1; i < kPicks; ++i)
            found = select<Real>(index >= kNumbers * i, pick(index, i), found);
        return found;
    }
    SKDISTILL_MEMBER Vector<float> pick(Mask<float> index, int i) const {
        return (Vector<float>)_mm512_permutex2var_ps((__m512)parts[2 * i], (__m512i)index,
                                                     (__m512)parts[2 * i + 1]);
    }
    SKDISTILL_MEMBER Vector<double> pick(Mask<double> index, int i) const {
        return (Vector<double>)_mm512_permutex2var_pd(
            (__m512d)parts[2 * i], (__m512i)index, (__m512d)parts[2 * i + 1]);
    }
};

template <int quarters>
struct Registers {
    Register<float, quarters> inner;
    Register<double, quarters> starts;
    Register<float, quarters> reciprocals;

    SKDISTILL_MEMBER explicit Registers(const PackedSearch& search)
        : inner(search.floats.inner.get()),
          starts(search.starts.get()),
          reciprocals(search.reciprocals.get()) {}

    SKDISTILL_MEMBER Mask<float> segments_of(Vector<float> position) const {
        Mask<float> segment{};
#pragma GCC unroll 4
        for (int q = 1; q < quarters; ++q)
            segment -= (position >= inner.parts[2 * q - 1][15]);
        segment *= 32;
#pragma GCC unroll 8
        for (int step = 16; step > 0; step /= 2)
            segment += (position >= inner[segment + (step - 1)]) & step;
        return segment;
    }
    SKDISTILL_MEMBER Vector<double> starts_of(__m256i segments) const {
        return starts[(Mask<double>)_mm512_cvtepi32_epi64(segments)];
    }
};

// The same as `locate_value`, to the last bit.
template <int quarters>
SKDISTILL_INLINE void locate_vector(const PackedSearch& search,
                                    const Registers<quarters>& registers,
                                    const double* values, std::int32_t* segments,
                                    float* fractions) {
    Doubles<float> positions;
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i)
        positions.part[i] = clipped(
            (load(values + i * kLanes<double>) - search.offset) * search.scale,
            broadcast(search.low), broadcast(search.high));
    const Vector<float> position = from_doubles(positions);
    const Mask<float> missing = position != position;
    const Mask<float> found = registers.segments_of(position);
    positions.part[0] -=
        registers.starts_of(_mm512_castsi512_si256((__m512i)found));
    positions.part[1] -=
        registers.starts_of(_mm512_extracti64x4_epi64((__m512i)found, 1));
    const Vector<float> difference = from_doubles(positions);
    const Mask<float> above = (difference < 0) & (found > 0);
    const Mask<float> segment = found + above;
    const Vector<float> one = broadcast(1.0f);
    const Vector<float> fraction =
        fused(difference, registers.reciprocals[segment],
              select<float>(above, one, Vector<float>{}));
    const Mask<float> row = missing ? search.n_segments + 1 + Mask<float>{} : segment;
    _mm512_storeu_si512(segments, (__m512i)row);
    store(fractions, select<float>(missing, Vector<float>{}, fraction));
}

template <int quarters>
SKDISTILL_OUTLINE void locate_vectors(const PackedSearch& search, const double* values,
                                      int n, std::int32_t* segments, float* fractions) {
    const Registers<quarters> registers(search);
    for (int r = 0; r < n; r += kLanes<float>)
        locate_vector<quarters>(search, registers, values + r, segments + r,
                                fractions + r);
}
#endif

// Of rows of a table: segments and fractions are written in whole vectors.
template <class In>
SKDISTILL_OUTLINE void locate(const PackedSearch& search, const In* values,
                              std::int64_t stride, int n_rows, std::int32_t* segments,
                              float* fractions,
                              [[maybe_unused]] const Workspace& space) {
    values += search.column;
    if (n_rows == 1) {
        locate_value(search, *values, *segments, *fractions);
        return;
    }
#if SKDISTILL_VECTOR_BYTES == 64
    if (n_rows > 4 && search.in_float && search.n_segments <= 128) {
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
        locate_value(search, values[r * stride], segments[r], fractions[r]);
}
