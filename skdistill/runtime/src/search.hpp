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

SKDISTILL_INLINE double position_of(const PackedSearch& search, double value) {
    return clipped((value - search.offset) * search.scale, search.low, search.high);
}

SKDISTILL_INLINE int segment_of(const PackedSearch& search, double position) {
    if (search.in_float)
        return segment_of(search.floats, static_cast<float>(position));
    return segment_of(search.doubles, position);
}

// From the segment that was found to that of a position, and where on it that is.
SKDISTILL_INLINE void place_position(const PackedSearch& search, double position,
                                     std::int32_t& segment, float& fraction) {
    const int found = segment;
    if (position != position) {
        segment = search.n_segments + 1;
        fraction = 0;
        return;
    }
    if (!search.in_float) {
        fraction = static_cast<float>((position - search.exact_starts.get()[found]) *
                                      search.exact_reciprocals.get()[found]);
        return;
    }
    const PackedSegment* segments = search.segments.get();
    const float rounded = static_cast<float>(position);
    const float remainder = static_cast<float>(position - rounded);
    const float difference = (rounded - segments[found].start) +
                             (remainder - segments[found].remainder);
    // Rounded up to the start of the next segment; the first one has nothing before.
    const bool above = difference < 0 && found > 0;
    segment = found - above;
    fraction = fused(difference, segments[segment].reciprocal,
                     static_cast<float>(above));
}

SKDISTILL_INLINE void locate_value(const PackedSearch& search, double value,
                                   std::int32_t& segment, float& fraction) {
    const double position = position_of(search, value);
    segment = segment_of(search, position);
    place_position(search, position, segment, fraction);
}

typedef float HalfOfFloats __attribute__((vector_size(kBytes / 2)));
typedef float HalfMemory
    __attribute__((vector_size(kBytes / 2), aligned(4), may_alias));

SKDISTILL_INLINE Vector<double> load_doubles(const double* from) { return load(from); }

SKDISTILL_INLINE Vector<double> load_doubles(const float* from) {
    const HalfOfFloats half = *reinterpret_cast<const HalfMemory*>(from);
    return __builtin_convertvector(half, Vector<double>);
}

#if SKDISTILL_VECTOR_BYTES == 64
SKDISTILL_INLINE Vector<float> pick(Vector<float> table, Mask<float> index) {
    return (Vector<float>)_mm512_permutexvar_ps((__m512i)index, (__m512)table);
}

SKDISTILL_INLINE Vector<float> pick(Vector<float> low, Mask<float> index,
                                    Vector<float> high) {
    return (Vector<float>)_mm512_permutex2var_ps((__m512)low, (__m512i)index,
                                                 (__m512)high);
}

// A table of 32 times as many numbers, less than 32 times quarters, in registers.
template <int quarters>
struct Register {
    Vector<float> parts[2 * quarters];

    SKDISTILL_MEMBER explicit Register(const float* numbers) {
#pragma GCC unroll 8
        for (int i = 0; i < 2 * quarters; ++i)
            parts[i] = load(numbers + i * kLanes<float>);
    }
    SKDISTILL_MEMBER Vector<float> operator[](Mask<float> index) const {
        Vector<float> found = pick(parts[0], index, parts[1]);
#pragma GCC unroll 4
        for (int i = 1; i < quarters; ++i)
            found = select<float>(index >= 32 * i,
                                  pick(parts[2 * i], index, parts[2 * i + 1]), found);
        return found;
    }
};

// Of a tree, as many levels as it takes to tell 32 times quarters segments apart.
template <int quarters>
struct Tree {
    static constexpr int kLevels = quarters == 1 ? 5 : quarters == 2 ? 6 : 7;
    static constexpr int kVectors = (1 << kLevels) / kLanes<float>;
    Vector<float> parts[kVectors];

    SKDISTILL_MEMBER explicit Tree(const float* tree) {
#pragma GCC unroll 8
        for (int i = 0; i < kVectors; ++i) parts[i] = load(tree + i * kLanes<float>);
    }
    SKDISTILL_MEMBER Mask<float> segments_of(Vector<float> position) const {
        Mask<float> node = Mask<float>{} + 1;
#pragma GCC unroll 8
        for (int level = 0; level < kLevels; ++level) {
            const __m512i next = (__m512i)(node + node);
            const __mmask16 right = _mm512_cmp_ps_mask(
                (__m512)position, (__m512)points_of(node, level), _CMP_GE_OQ);
            node = (Mask<float>)_mm512_mask_add_epi32(next, right, next,
                                                      _mm512_set1_epi32(1));
        }
        return node - (1 << kLevels);
    }
    // Higher bits of an index are ignored, as are those that tell the level.
    SKDISTILL_MEMBER Vector<float> points_of(Mask<float> node, int level) const {
        if (level < 4) return pick(parts[0], node);
        if (level == 4) return pick(parts[1], node);
        const Vector<float> found = level == 5 ? pick(parts[2], node, parts[3])
                                               : pick(parts[kVectors - 4], node,
                                                      parts[kVectors - 3]);
        if (level == 5) return found;
        return select<float>(
            node >= 96, pick(parts[kVectors - 2], node, parts[kVectors - 1]), found);
    }
};

template <int quarters>
struct Registers {
    Tree<quarters> tree;
    Register<quarters> starts, remainders, reciprocals;

    SKDISTILL_MEMBER explicit Registers(const PackedSearch& search)
        : tree(search.tree.get()),
          starts(search.starts.get()),
          remainders(search.remainders.get()),
          reciprocals(search.reciprocals.get()) {}
};

struct Line {
    Vector<double> offset, scale, low, high;
    Mask<float> missing;

    SKDISTILL_MEMBER explicit Line(const PackedSearch& search)
        : offset(broadcast(search.offset)),
          scale(broadcast(search.scale)),
          low(broadcast(search.low)),
          high(broadcast(search.high)),
          missing(Mask<float>{} + (search.n_segments + 1)) {}
};

// The same as `locate_value`, to the last bit.
template <int quarters>
SKDISTILL_INLINE void locate_vector(const Line& line,
                                    const Registers<quarters>& registers,
                                    const double* values, std::int32_t* segments,
                                    float* fractions) {
    __m256 roundings[2], remainders[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        const Vector<double> value = load(values + i * kLanes<double>);
        const Vector<double> position = clipped((value - line.offset) * line.scale,
                                                line.low, line.high);
        roundings[i] = _mm512_cvtpd_ps((__m512d)position);
        remainders[i] = _mm512_cvtpd_ps(_mm512_sub_pd(
            (__m512d)position, _mm512_cvtps_pd(roundings[i])));
    }
    const Vector<float> rounded = join(roundings[0], roundings[1]);
    const Vector<float> remainder = join(remainders[0], remainders[1]);
    const Mask<float> missing = rounded != rounded;
    const Mask<float> found = registers.tree.segments_of(rounded);
    const Vector<float> difference = (rounded - registers.starts[found]) +
                                     (remainder - registers.remainders[found]);
    const Mask<float> above = (difference < 0) & (found > 0);
    const Mask<float> segment = found + above;
    const Vector<float> one = broadcast(1.0f);
    const Vector<float> fraction =
        fused(difference, registers.reciprocals[segment],
              select<float>(above, one, Vector<float>{}));
    const Mask<float> row = missing ? line.missing : segment;
    _mm512_storeu_si512(segments, (__m512i)row);
    store(fractions, select<float>(missing, Vector<float>{}, fraction));
}

template <int quarters>
SKDISTILL_OUTLINE void locate_vectors(const PackedSearch& search, const double* values,
                                      int n, std::int32_t* segments, float* fractions) {
    const Registers<quarters> registers(search);
    const Line line(search);
    for (int r = 0; r < n; r += kLanes<float>)
        locate_vector<quarters>(line, registers, values + r, segments + r,
                                fractions + r);
}

SKDISTILL_INLINE Vector<double> even_lanes(Vector<double> a, Vector<double> b) {
    return (Vector<double>)_mm512_shuffle_f64x2((__m512d)a, (__m512d)b, 0x88);
}

SKDISTILL_INLINE Vector<double> odd_lanes(Vector<double> a, Vector<double> b) {
    return (Vector<double>)_mm512_shuffle_f64x2((__m512d)a, (__m512d)b, 0xdd);
}

// Eight numbers of eight rows: those of a column next to each other.
template <class In>
SKDISTILL_INLINE void transpose_rows(const In* const (&rows)[8], double* columns,
                                     std::int64_t stride) {
    Vector<double> pairs[8];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        const __m512d a = (__m512d)load_doubles(rows[2 * i]);
        const __m512d b = (__m512d)load_doubles(rows[2 * i + 1]);
        pairs[i] = (Vector<double>)_mm512_unpacklo_pd(a, b);
        pairs[i + 4] = (Vector<double>)_mm512_unpackhi_pd(a, b);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        const Vector<double>* p = pairs + 4 * i;
        const Vector<double> even[2] = {even_lanes(p[0], p[1]), even_lanes(p[2], p[3])};
        const Vector<double> odd[2] = {odd_lanes(p[0], p[1]), odd_lanes(p[2], p[3])};
        store(columns + i * stride, even_lanes(even[0], even[1]));
        store(columns + (i + 2) * stride, even_lanes(odd[0], odd[1]));
        store(columns + (i + 4) * stride, odd_lanes(even[0], even[1]));
        store(columns + (i + 6) * stride, odd_lanes(odd[0], odd[1]));
    }
}

// Whole vectors: the last row again where there are no more.
template <class In>
SKDISTILL_OUTLINE void transpose(const In* values, std::int64_t stride, int n_rows,
                                 const Workspace& space) {
    for (int r = 0; r < space.rows && r < n_rows + kLanes<float> - 1; r += 8) {
        const In* rows[8];
        for (int i = 0; i < 8; ++i)
            rows[i] = values + (r + i < n_rows ? r + i : n_rows - 1) * stride;
        transpose_rows(rows, space.columns + r, space.rows);
    }
}
#endif

// Finds the rows of a table one column after the other.
template <class In>
struct Columns {
    const In* values;
    std::int64_t stride;
    int n_rows;
    const Workspace& space;
    // Of those that are transposed: none.
    int first = -kColumns;

    // Segments and fractions are written in whole vectors.
    SKDISTILL_MEMBER void locate(const PackedSearch& search, std::int32_t* segments,
                                 float* fractions) {
#if SKDISTILL_VECTOR_BYTES == 64
        if (n_rows > 4 && search.in_registers && stride >= kColumns) {
            const double* column = transposed(search.column);
            switch ((search.n_segments - 1) / 32) {
                case 0: locate_vectors<1>(search, column, n_rows, segments, fractions); break;
                case 1: locate_vectors<2>(search, column, n_rows, segments, fractions); break;
                case 2: locate_vectors<3>(search, column, n_rows, segments, fractions); break;
                default: locate_vectors<4>(search, column, n_rows, segments, fractions);
            }
            return;
        }
#endif
        for (int r = 0; r < n_rows; ++r)
            locate_value(search, values[r * stride + search.column], segments[r],
                         fractions[r]);
    }

#if SKDISTILL_VECTOR_BYTES == 64
    SKDISTILL_MEMBER const double* transposed(int column) {
        if (column < first || column >= first + kColumns) {
            const int last_first = static_cast<int>(stride) - kColumns;
            first = column < last_first ? column : last_first;
            transpose(values + first, stride, n_rows, space);
        }
        return space.columns + (column - first) * space.rows;
    }
#endif
};
