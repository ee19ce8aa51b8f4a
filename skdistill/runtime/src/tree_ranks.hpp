// The ranks of a block of rows: what a value is among the thresholds of its column.
//
// Included once per instruction set inside a namespace of its own, hence without a
// guard; compilers make vectors of the loops over rows.

// Up to so many thresholds all are compared with; of more, first the last of each
// bucket, then those of the one bucket.
constexpr std::int32_t kFewThresholds = 48;

template <class Real>
struct Thresholds;

template <>
struct Thresholds<float> {
    typedef std::int32_t Count;
    static const float* of(const Forest& forest) { return forest.rounded.data(); }
};

template <>
struct Thresholds<double> {
    typedef std::int64_t Count;
    static const double* of(const Forest& forest) { return forest.thresholds.data(); }
};

// The number of thresholds below each value, every `step`-th counted.
template <int n_rows, class Real, class Count>
SKDISTILL_INLINE void count_below(const Real* thresholds, std::int64_t n_thresholds,
                                       std::int64_t step, const Real* values,
                                       Count* counts) {
    constexpr int kPart = kVectorBytes * 4 / static_cast<int>(sizeof(Real));
    for (int first = 0; first < n_rows; first += kPart) {
        Count part[kPart] = {};
        for (std::int64_t i = 0; i < n_thresholds; ++i) {
            const Real threshold = thresholds[i * step];
            for (int row = 0; row < kPart; ++row)
                part[row] += threshold < values[first + row];
        }
        for (int row = 0; row < kPart; ++row) counts[first + row] = part[row];
    }
}

// Which of a bucket's thresholds are below a value: a bit for each.
#if defined(SKDISTILL_X86) && SKDISTILL_VECTOR_BYTES == 64
SKDISTILL_INLINE unsigned below_bits(const float* thresholds, float value) {
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(thresholds), _mm512_set1_ps(value),
                              _CMP_LT_OQ);
}

SKDISTILL_INLINE unsigned below_bits(const double* thresholds, double value) {
    const __m512d wanted = _mm512_set1_pd(value);
    const unsigned low =
        _mm512_cmp_pd_mask(_mm512_loadu_pd(thresholds), wanted, _CMP_LT_OQ);
    const unsigned high =
        _mm512_cmp_pd_mask(_mm512_loadu_pd(thresholds + 8), wanted, _CMP_LT_OQ);
    return low | high << 8;
}
#elif defined(SKDISTILL_X86) && SKDISTILL_VECTOR_BYTES == 32
SKDISTILL_INLINE unsigned below_bits(const float* thresholds, float value) {
    const __m256 wanted = _mm256_set1_ps(value);
    unsigned bits = 0;
    for (int i = 0; i < kBucket; i += 8) {
        const __m256 below =
            _mm256_cmp_ps(_mm256_loadu_ps(thresholds + i), wanted, _CMP_LT_OQ);
        bits |= static_cast<unsigned>(_mm256_movemask_ps(below)) << i;
    }
    return bits;
}

SKDISTILL_INLINE unsigned below_bits(const double* thresholds, double value) {
    const __m256d wanted = _mm256_set1_pd(value);
    unsigned bits = 0;
    for (int i = 0; i < kBucket; i += 4) {
        const __m256d below =
            _mm256_cmp_pd(_mm256_loadu_pd(thresholds + i), wanted, _CMP_LT_OQ);
        bits |= static_cast<unsigned>(_mm256_movemask_pd(below)) << i;
    }
    return bits;
}
#elif defined(SKDISTILL_X86)
SKDISTILL_INLINE unsigned below_bits(const float* thresholds, float value) {
    const __m128 wanted = _mm_set1_ps(value);
    unsigned bits = 0;
    for (int i = 0; i < kBucket; i += 4) {
        const __m128 below = _mm_cmplt_ps(_mm_loadu_ps(thresholds + i), wanted);
        bits |= static_cast<unsigned>(_mm_movemask_ps(below)) << i;
    }
    return bits;
}

SKDISTILL_INLINE unsigned below_bits(const double* thresholds, double value) {
    const __m128d wanted = _mm_set1_pd(value);
    unsigned bits = 0;
    for (int i = 0; i < kBucket; i += 2) {
        const __m128d below = _mm_cmplt_pd(_mm_loadu_pd(thresholds + i), wanted);
        bits |= static_cast<unsigned>(_mm_movemask_pd(below)) << i;
    }
    return bits;
}
#endif

// The number of a bucket's thresholds below a value: up to 15, those before it.
template <class Real>
SKDISTILL_INLINE int count_in_bucket(const Real* thresholds, Real value) {
#ifdef SKDISTILL_X86
    return __builtin_ctz(~below_bits(thresholds, value));
#else
    int below = 0;
    for (int width = kBucket / 2; width; width /= 2)
        below += thresholds[below + width - 1] < value ? width : 0;
    return below;
#endif
}

template <int n_rows, class Real>
SKDISTILL_INLINE void rank_numbers(const Forest& forest, const Ranking& ranking,
                                        const Real* values, std::uint8_t* bins) {
    typedef typename Thresholds<Real>::Count Count;
    const Real* thresholds = Thresholds<Real>::of(forest) + ranking.first_threshold;
    Count counts[n_rows];
    if (ranking.count <= kFewThresholds) {
        count_below<n_rows>(thresholds, ranking.count, 1, values, counts);
    } else {
        count_below<n_rows>(thresholds + kBucket - 1, ranking.count / kBucket, kBucket, values,
                    counts);
        for (int row = 0; row < n_rows; ++row) {
            const std::int64_t below = counts[row] * kBucket;
            counts[row] = static_cast<Count>(
                below + count_in_bucket(thresholds + below, values[row]));
        }
    }
    for (int row = 0; row < n_rows; ++row)
        counts[row] = values[row] != values[row] ? ranking.missing_rank : counts[row];
    for (std::int32_t low = 0; low < ranking.count; low += kRanksPerBin) {
        for (int row = 0; row < n_rows; ++row) {
            Count rank = counts[row] - low;
            rank = rank < 0 ? 0 : rank;
            bins[row] = static_cast<std::uint8_t>(rank > kRanksPerBin ? kRanksPerBin : rank);
        }
        bins += kBlockRows;
    }
}

template <int n_rows, class Real>
SKDISTILL_INLINE void code_categories(const Ranking& ranking, const Real* values,
                                           std::uint8_t* bins) {
    for (int row = 0; row < n_rows; ++row) {
        const std::int64_t code = level_code(values[row], ranking.n_levels);
        bins[row] = static_cast<std::uint8_t>(code >> 3);
        bins[kBlockRows + row] = static_cast<std::uint8_t>(1 << (code & 7));
        bins[2 * kBlockRows + row] = static_cast<std::uint8_t>(code >> 11);
    }
}

template <int n_rows, class Real>
SKDISTILL_INLINE void rank_rows(const Forest& forest, const Real* rows,
                                     std::int64_t stride, int n_given,
                                     std::uint8_t* bins) {
    Real values[n_rows] = {};
    for (const Ranking& ranking : forest.rankings) {
        for (int row = 0; row < n_given; ++row)
            values[row] = rows[row * stride + ranking.column];
        std::uint8_t* to = bins + ranking.first_bin * kBlockRows;
        if (ranking.n_levels < 0)
            rank_numbers<n_rows>(forest, ranking, values, to);
        else
            code_categories<n_rows>(ranking, values, to);
    }
}

// Bins of up to kBlockRows rows that lie `stride` numbers apart.
template <class Real>
static void rank_block(const Forest& forest, const Real* rows, std::int64_t stride,
                       int n_rows, std::uint8_t* bins) {
    if (n_rows <= kVectorBytes)
        rank_rows<kVectorBytes>(forest, rows, stride, n_rows, bins);
    else
        rank_rows<kBlockRows>(forest, rows, stride, n_rows, bins);
}
