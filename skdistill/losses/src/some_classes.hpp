// Rows of some more classes: half as many rows as a vector has lanes, and two of
// their columns in each vector.
//
// That halves the memory of the columns, and reads and writes 32 bytes of a row at a
// time instead of 16. The last tile overlaps the one before; what both hold is left
// out of the sums of one.

// Beyond it the rows themselves are long enough to fill vectors.
constexpr int kSomeClasses = 128;
static_assert(3 * kSomeClasses / 2 * kBytes <= kScratchBytes, "for the columns");

// Pieces of a vector, by number: 0 and 1 are columns k and k + kPieceLanes of the
// first rows, 2 and 3 those of the next.
template <class Real>
struct Halves {
    static constexpr int kWidth = kPieceLanes<Real>;
    static constexpr int kRows = kLanes<Real> / 2;
    static constexpr int kTile = 2 * kWidth;  // columns of a tile
    typedef Real Pair __attribute__((vector_size(2 * kPieceBytes)));
    typedef Real PairMemory
        __attribute__((vector_size(2 * kPieceBytes), aligned(sizeof(Real)), may_alias));

    static constexpr int part(int lane) { return lane / kWidth % 2; }
    static constexpr int row(int lane) { return lane / kTile * kWidth + lane % kWidth; }
    static constexpr int lane(int row) { return row / kWidth * kTile + row % kWidth; }

    template <int... lanes>
    static constexpr auto swapped(std::integer_sequence<int, lanes...>) {
        return std::integer_sequence<
            int, (lanes + (part(lanes) ? -kWidth : kWidth))...>{};
    }
    template <int... lanes>
    static constexpr auto spread(std::integer_sequence<int, lanes...>) {
        return std::integer_sequence<int, row(lanes)...>{};
    }
    template <int... lanes>
    static constexpr auto compact(std::integer_sequence<int, lanes...>) {
        return std::integer_sequence<
            int, (lanes < kRows ? lane(lanes) : kLanes<Real> + lanes)...>{};
    }
    template <std::size_t... lanes>
    static SKDISTILL_MEMBER Mask<Real> offsets(std::index_sequence<lanes...>) {
        return Mask<Real>{
            static_cast<typename Types<Real>::Index>(part(lanes) * kWidth)...};
    }
    // Of the columns of a vector, to the first.
    static SKDISTILL_MEMBER Mask<Real> offsets() {
        return offsets(std::make_index_sequence<kLanes<Real>>{});
    }
};

template <class Real>
constexpr auto kLaneNumbers = std::make_integer_sequence<int, kLanes<Real>>{};

// What the other lane of the same row holds.
template <class Real>
SKDISTILL_INLINE Vector<Real> other_part(Vector<Real> v) {
    return shuffle(v, v, Halves<Real>::swapped(kLaneNumbers<Real>));
}

// From the first lanes, one for each row, to both of its lanes, and back.
template <class Real, class Value>
SKDISTILL_INLINE Value spread(Value v) {
    return shuffle(v, v, Halves<Real>::spread(kLaneNumbers<Real>));
}

template <class Real>
SKDISTILL_INLINE Vector<Real> compact(Vector<Real> v, Real rest) {
    return shuffle(v, broadcast(rest), Halves<Real>::compact(kLaneNumbers<Real>));
}

template <class Real>
SKDISTILL_INLINE Vector<Real> compact_sum(Vector<Real> v, Real rest) {
    return compact<Real>(v + other_part<Real>(v), rest);
}

template <class Real, int count = kBytes / kPieceBytes / 2>
SKDISTILL_INLINE auto load_pairs(const Real* from, std::int64_t stride) {
    if constexpr (count == 1) {
        const typename Halves<Real>::Pair pair =
            *reinterpret_cast<const typename Halves<Real>::PairMemory*>(from);
        return pair;
    } else {
        return join(load_pairs<Real, count / 2>(from, stride),
                    load_pairs<Real, count / 2>(from + count / 2 * stride, stride));
    }
}

template <class Real, int pair = 0>
SKDISTILL_INLINE void store_pairs(Real* to, std::int64_t stride, Vector<Real> values) {
    constexpr int lanes = Halves<Real>::kTile;
    *reinterpret_cast<typename Halves<Real>::PairMemory*>(to) =
        lanes_of<pair * lanes, lanes>(values, values);
    if constexpr (pair + 1 < kBytes / kPieceBytes / 2)
        store_pairs<Real, pair + 1>(to + stride, stride, values);
}

template <class Real>
SKDISTILL_INLINE Vector<Real> read_halves(const Real* from, std::int64_t n_classes,
                                          Vector<Real>* columns) {
    constexpr int width = Halves<Real>::kWidth;
    constexpr int tile = Halves<Real>::kTile;
    Vector<Real> largest = broadcast(-std::numeric_limits<Real>::infinity());
    for (std::int64_t next = 0; next < n_classes; next += tile, columns += width) {
        const std::int64_t k = next < n_classes - tile ? next : n_classes - tile;
        Vector<Real> v[width];
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i)
            v[i] = load_pairs<Real>(from + k + i * n_classes, width * n_classes);
        transpose_pieces(v);
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i) {
            columns[i] = v[i];
            largest = larger<Real>(v[i], largest);
        }
    }
    return larger<Real>(largest, other_part<Real>(largest));
}

template <HardTerm hard_term, class Columns, class Real>
SKDISTILL_INLINE void write_halves(const Columns& columns, const Slopes<Real>& slopes,
                                   std::int64_t n_classes, Real* gradient) {
    constexpr int width = Halves<Real>::kWidth;
    constexpr int tile = Halves<Real>::kTile;
    std::int64_t first = 0;
    for (std::int64_t next = 0; next < n_classes; next += tile, first += width) {
        const std::int64_t k = next < n_classes - tile ? next : n_classes - tile;
        Vector<Real> v[width];
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i)
            v[i] = slope<hard_term>(columns, slopes, first + i, k + i);
        transpose_pieces(v);
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i)
            store_pairs<Real>(gradient + k + i * n_classes, width * n_classes, v[i]);
    }
}

// Labels and weights of the rows in the first lanes. The loss in the other lanes is 0.
template <class Real>
struct HalfNumbers {
    std::int64_t labels[kLanes<Real>];
    Real weights[kLanes<Real>];
    Real losses[kLanes<Real>];

    BlockFactors<Real> factors(const SoftTargetProblem<Real>& problem,
                               const Scales<Real>& scales, std::int64_t row) {
        constexpr int rows = Halves<Real>::kRows;
        SoftTargetProblem<Real> half = problem;
        if (problem.labels) {
            __builtin_memcpy(labels, problem.labels + row, sizeof labels / 2);
            __builtin_memset(labels + rows, -1, sizeof labels / 2);
            half.labels = labels;
        }
        if (problem.weights) {
            __builtin_memcpy(weights, problem.weights + row, sizeof weights / 2);
            __builtin_memset(weights + rows, 0, sizeof weights / 2);
            half.weights = weights;
        }
        return block_factors(half, scales, 0);
    }
};

template <bool from_log_odds, HardTerm hard_term, class Columns, class Real>
SKDISTILL_INLINE BlockSums<Real> sum_halves(Columns& columns, std::int64_t n_classes,
                                            const RowContext<Real>& context,
                                            const Scales<Real>& scales,
                                            const RowsAhead<Real>& ahead) {
    constexpr int width = Halves<Real>::kWidth;
    constexpr int tile = Halves<Real>::kTile;
    const Mask<Real> every = Mask<Real>{} - 1;
    BlockSums<Real> sums{};
    std::int64_t i = 0;
    std::int64_t k = 0;
    for (; k + tile <= n_classes; k += width)
        for (const std::int64_t end = k + width; k < end; k += 2, i += 2) {
            ahead.fetch(i);
            ahead.fetch(i + 1);
            add_columns<from_log_odds, hard_term, 2>(columns, i, k, every, context,
                                                     scales, sums);
        }
    const Mask<Real> offsets = Halves<Real>::offsets();
    if (k < n_classes)
        for (std::int64_t at = n_classes - tile; at < n_classes - width; ++at, ++i) {
            ahead.fetch(i);
            add_columns<from_log_odds, hard_term, 1>(
                columns, i, at, offsets >= class_number<Real>(k - at), context, scales,
                sums);
        }
    return sums;
}

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE bool halves_block(const SoftTargetProblem<Real>& problem,
                                   const Scales<Real>& scales, std::int64_t row,
                                   Doubles<Real>& total) {
    const std::int64_t n_classes = problem.n_classes;
    HalfNumbers<Real> numbers;
    const BlockFactors<Real> factors = numbers.factors(problem, scales, row);
    Columns<Real, kSomeClasses / 2, hard_term> columns;
    const RowContext<Real> context{
        read_halves(problem.logits + row * n_classes, n_classes, columns.student),
        read_halves(problem.targets + row * n_classes, n_classes, columns.teacher),
        spread<Real>(factors.labels) - Halves<Real>::offsets()};
    BlockSums<Real> sums = sum_halves<from_log_odds, hard_term>(
        columns, n_classes, context, scales,
        RowsAhead<Real>(problem, row, Halves<Real>::kRows));
    sums.student = compact_sum<Real>(sums.student, 1);
    sums.teacher = compact_sum<Real>(sums.teacher, 1);
    sums.cross = compact_sum<Real>(sums.cross, 0);
    sums.entropy = compact_sum<Real>(sums.entropy, 0);
    sums.hard = compact_sum<Real>(sums.hard, 1);
    // Neither is positive, and one of them is 0.
    sums.label_shift = compact<Real>(
        -larger<Real>(-sums.label_shift, -other_part<Real>(sums.label_shift)), 0);
    const BlockLosses<Real> losses =
        block_losses<from_log_odds, hard_term>(sums, scales);
    if (!all<Real>(losses.good & factors.good)) return false;

    Slopes<Real> slopes = make_slopes<from_log_odds, hard_term>(factors, sums);
    slopes.student = spread<Real>(slopes.student);
    slopes.teacher = spread<Real>(slopes.teacher);
    slopes.hard = spread<Real>(slopes.hard);
    slopes.label = spread<Real>(slopes.label);
    slopes.labels = context.labels;
    write_halves<hard_term>(columns, slopes, n_classes,
                            problem.gradient + row * n_classes);
    add_losses<hard_term>(losses, factors.weights, factors.labelled, scales,
                          numbers.losses, total);
    if (problem.losses)
        __builtin_memcpy(problem.losses + row, numbers.losses,
                         Halves<Real>::kRows * sizeof(Real));
    return true;
}
