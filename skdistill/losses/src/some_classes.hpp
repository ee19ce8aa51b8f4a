// Rows of some more classes: as many rows as a piece of a vector has lanes, and as many
// of their columns in each vector as it has pieces.
//
// That saves memory for the columns, and reads and writes a whole vector of a row at a
// time instead of a piece. The last tile overlaps the one before; what both hold is left
// out of the sums of one.

// Beyond it the rows themselves are long enough to fill vectors. Whole tiles of columns.
template <class Real, HardTerm hard_term>
constexpr int kSomeVectors = kScratchBytes / kBytes /
                             (hard_term == HardTerm::kOwn ? 3 : 2) /
                             kPieceLanes<Real> * kPieceLanes<Real>;
template <class Real, HardTerm hard_term>
constexpr int kSomeClasses = kSomeVectors<Real, hard_term> * (kBytes / kPieceBytes);

template <class Real>
constexpr auto kLaneNumbers = std::make_integer_sequence<int, kLanes<Real>>{};

// What the lane of the same row holds some pieces further on.
template <int step, int... lanes>
constexpr auto rotated(std::integer_sequence<int, lanes...>) {
    return std::integer_sequence<int, (lanes + step) % sizeof...(lanes)...>{};
}

template <class Real, int step>
SKDISTILL_INLINE Vector<Real> rotate(Vector<Real> v) {
    return shuffle(v, v, rotated<step>(kLaneNumbers<Real>));
}

// From the first piece, which has one lane for each row, to all.
template <class Real, int... lanes>
constexpr auto repeated(std::integer_sequence<int, lanes...>) {
    return std::integer_sequence<int, lanes % kPieceLanes<Real>...>{};
}

template <class Real, class Value>
SKDISTILL_INLINE Value spread(Value v) {
    return shuffle(v, v, repeated<Real>(kLaneNumbers<Real>));
}

// The first piece, and `rest` in the others.
template <class Real>
SKDISTILL_INLINE Vector<Real> first_piece(Vector<Real> v, Real rest) {
    const Mask<Real> others = lanes_from<Real>(kPieceLanes<Real>);
    return select<Real>(others, broadcast(rest), v);
}

template <class Real, int step = kPieceLanes<Real>>
SKDISTILL_INLINE Vector<Real> largest_piece(Vector<Real> v) {
    if constexpr (step == kLanes<Real>)
        return v;
    else
        return largest_piece<Real, 2 * step>(larger<Real>(v, rotate<Real, step>(v)));
}

template <class Real, int step = kPieceLanes<Real>>
SKDISTILL_INLINE Vector<Real> sum_pieces(Vector<Real> v, Real rest) {
    if constexpr (step == kLanes<Real>)
        return first_piece<Real>(v, rest);
    else
        return sum_pieces<Real, 2 * step>(v + rotate<Real, step>(v), rest);
}

// Number of the column in each lane, from that of the first.
template <class Real, std::size_t... lanes>
SKDISTILL_INLINE Mask<Real> column_offsets(std::index_sequence<lanes...>) {
    constexpr int width = kPieceLanes<Real>;
    return Mask<Real>{
        static_cast<typename Types<Real>::Index>(lanes / width * width)...};
}

template <class Real>
SKDISTILL_INLINE Mask<Real> column_offsets() {
    return column_offsets<Real>(std::make_index_sequence<kLanes<Real>>{});
}

// The largest number of each row, in each of its lanes.
template <class Real>
SKDISTILL_INLINE Vector<Real> read_rows(const Real* from, std::int64_t n_classes,
                                        Vector<Real>* columns) {
    constexpr int width = kPieceLanes<Real>;
    constexpr int tile = kLanes<Real>;
    Vector<Real> largest = broadcast(-std::numeric_limits<Real>::infinity());
    for (std::int64_t next = 0; next < n_classes; next += tile, columns += width) {
        const std::int64_t k = next < n_classes - tile ? next : n_classes - tile;
        Vector<Real> v[width];
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i) v[i] = load(from + k + i * n_classes);
        transpose_pieces(v);
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i) {
            columns[i] = v[i];
            largest = larger<Real>(v[i], largest);
        }
    }
    return largest_piece<Real>(largest);
}

template <HardTerm hard_term, class Columns, class Real>
SKDISTILL_INLINE void write_rows(const Columns& columns, const Slopes<Real>& slopes,
                                 std::int64_t n_classes, Real* gradient) {
    constexpr int width = kPieceLanes<Real>;
    constexpr int tile = kLanes<Real>;
    std::int64_t first = 0;
    for (std::int64_t next = 0; next < n_classes; next += tile, first += width) {
        const std::int64_t k = next < n_classes - tile ? next : n_classes - tile;
        Vector<Real> v[width];
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i)
            v[i] = slope<hard_term>(columns, slopes, first + i, k + i);
        transpose_pieces(v);
#pragma GCC unroll 4
        for (int i = 0; i < width; ++i) store(gradient + k + i * n_classes, v[i]);
    }
}

// Labels and weights of the rows in the first lanes. The loss in the other lanes is 0.
template <class Real>
struct FirstNumbers {
    std::int64_t labels[kLanes<Real>];
    Real weights[kLanes<Real>];
    Real losses[kLanes<Real>];

    BlockFactors<Real> factors(const SoftTargetProblem<Real>& problem,
                               const Scales<Real>& scales, std::int64_t row) {
        constexpr int rows = kPieceLanes<Real>;
        SoftTargetProblem<Real> first = problem;
        if (problem.labels) {
            __builtin_memset(labels, -1, sizeof labels);
            __builtin_memcpy(labels, problem.labels + row, rows * sizeof labels[0]);
            first.labels = labels;
        }
        if (problem.weights) {
            __builtin_memset(weights, 0, sizeof weights);
            __builtin_memcpy(weights, problem.weights + row, rows * sizeof weights[0]);
            first.weights = weights;
        }
        return block_factors(first, scales, 0);
    }
};

template <bool from_log_odds, HardTerm hard_term, class Columns, class Real>
SKDISTILL_INLINE BlockSums<Real> sum_tiles(Columns& columns, std::int64_t n_classes,
                                           const RowContext<Real>& context,
                                           const Scales<Real>& scales,
                                           const RowsAhead<Real>& ahead) {
    constexpr int width = kPieceLanes<Real>;
    constexpr int tile = kLanes<Real>;
    const Mask<Real> every = Mask<Real>{} - 1;
    BlockSums<Real> sums{};
    std::int64_t i = 0;
    std::int64_t k = 0;
    for (; k + tile <= n_classes; k += tile)
        for (std::int64_t at = k; at < k + width; at += 2, i += 2) {
            ahead.fetch(i);
            ahead.fetch(i + 1);
            add_columns<from_log_odds, hard_term, 2>(columns, i, at, every, context,
                                                     scales, sums);
        }
    const Mask<Real> offsets = column_offsets<Real>();
    const std::int64_t last = n_classes - tile;
    if (k < n_classes)
        for (std::int64_t at = last; at < last + width; ++at, ++i) {
            ahead.fetch(i);
            add_columns<from_log_odds, hard_term, 1>(
                columns, i, at, offsets >= class_number<Real>(k - at), context, scales,
                sums);
        }
    return sums;
}

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE bool tiles_block(const SoftTargetProblem<Real>& problem,
                                  const Scales<Real>& scales, std::int64_t row,
                                  Doubles<Real>& total) {
    const std::int64_t n_classes = problem.n_classes;
    FirstNumbers<Real> numbers;
    const BlockFactors<Real> factors = numbers.factors(problem, scales, row);
    Columns<Real, kSomeVectors<Real, hard_term>, hard_term> columns;
    const RowContext<Real> context{
        read_rows(problem.logits + row * n_classes, n_classes, columns.student),
        read_rows(problem.targets + row * n_classes, n_classes, columns.teacher),
        spread<Real>(factors.labels) - column_offsets<Real>()};
    BlockSums<Real> sums = sum_tiles<from_log_odds, hard_term>(
        columns, n_classes, context, scales,
        RowsAhead<Real>(problem, row, kPieceLanes<Real>));
    sums.student = sum_pieces<Real>(sums.student, 1);
    sums.teacher = sum_pieces<Real>(sums.teacher, 1);
    sums.cross = sum_pieces<Real>(sums.cross, 0);
    sums.entropy = sum_pieces<Real>(sums.entropy, 0);
    sums.hard = sum_pieces<Real>(sums.hard, 1);
    // None is positive, and all but one are 0.
    sums.label_shift =
        first_piece<Real>(-largest_piece<Real>(-sums.label_shift), 0);
    const BlockLosses<Real> losses =
        block_losses<from_log_odds, hard_term>(sums, scales);
    if (!all<Real>(losses.good & factors.good)) return false;

    Slopes<Real> slopes = make_slopes<from_log_odds, hard_term>(factors, sums);
    slopes.student = spread<Real>(slopes.student);
    slopes.teacher = spread<Real>(slopes.teacher);
    slopes.hard = spread<Real>(slopes.hard);
    slopes.label = spread<Real>(slopes.label);
    slopes.labels = context.labels;
    write_rows<hard_term>(columns, slopes, n_classes,
                          problem.gradient + row * n_classes);
    add_losses<hard_term>(losses, factors.weights, factors.labelled, scales,
                          numbers.losses, total);
    if (problem.losses)
        __builtin_memcpy(problem.losses + row, numbers.losses,
                         kPieceLanes<Real> * sizeof(Real));
    return true;
}
