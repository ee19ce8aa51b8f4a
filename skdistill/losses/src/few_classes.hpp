// Rows of few classes: as many rows side by side as a vector has lanes.
//
// Each block returns false, with nothing written, if it holds a row that must be
// left to the scalar rows.

// Beyond it the columns of a block would take too much memory.
template <HardTerm hard_term>
constexpr int kFewClasses =
    std::min(42, kScratchBytes / kBytes / (hard_term == HardTerm::kOwn ? 3 : 2));

// Two classes need one exponential, e^-|d| of their difference d.
template <class Real>
struct Pair {
    Vector<Real> shift[2];  // dz or dt
    Vector<Real> power[2];  // e^(shift/T)
    Vector<Real> sum;
};

template <class Real>
SKDISTILL_INLINE void exponentiate(Pair<Real>& pair, const ExpScale<Real>& scale) {
    const Vector<Real> power =
        exponential<Real>(pair.shift[0] + pair.shift[1], scale);
    const Mask<Real> second_is_larger = pair.shift[0] < Real(0);
    pair.power[0] = select<Real>(second_is_larger, power, broadcast(Real(1)));
    pair.power[1] = select<Real>(second_is_larger, broadcast(Real(1)), power);
    pair.sum = power + Real(1);
}

template <class Real>
SKDISTILL_INLINE Pair<Real> make_pair(const Vector<Real> (&values)[2],
                                      const ExpScale<Real>& softening) {
    Pair<Real> pair;
    const Vector<Real> difference = values[1] - values[0];
    const Mask<Real> positive = difference > Real(0);
    pair.shift[0] = select<Real>(positive, -difference, Vector<Real>{});
    pair.shift[1] = select<Real>(positive, Vector<Real>{}, difference);
    exponentiate(pair, softening);
    return pair;
}

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE bool pair_block(const SoftTargetProblem<Real>& problem,
                                 const Scales<Real>& scales, std::int64_t row,
                                 Doubles<Real>& total) {
    Vector<Real> z[2], q[2];
    load_columns(problem.logits + row * 2, z);
    load_columns(problem.targets + row * 2, q);
    const BlockFactors<Real> factors = block_factors(problem, scales, row);
    const Pair<Real> student = make_pair<Real>(z, scales.softening);
    BlockSums<Real> sums;
    sums.student = student.sum;
    Vector<Real> soft_targets = factors.soft_gradient;
    if constexpr (from_log_odds) {
        const Pair<Real> teacher = make_pair<Real>(q, scales.softening);
        sums.teacher = teacher.sum;
        sums.cross = teacher.power[0] * (teacher.shift[0] - student.shift[0]) +
                     teacher.power[1] * (teacher.shift[1] - student.shift[1]);
        q[0] = teacher.power[0];
        q[1] = teacher.power[1];
        soft_targets /= teacher.sum;
    } else {
        sums.teacher = q[0] + q[1];
        sums.cross = q[0] * student.shift[0] + q[1] * student.shift[1];
        sums.entropy = entropy_term<Real>(q[0]) + entropy_term<Real>(q[1]);
        sums.signs = (Bits<Real>)q[0] | (Bits<Real>)q[1];
    }
    Pair<Real> hard = student;
    if constexpr (hard_term == HardTerm::kOwn) exponentiate(hard, ExpScale<Real>(1.0));
    sums.hard = hard.sum;
    sums.label_shift = select<Real>(factors.labels == 1, hard.shift[1], hard.shift[0]);
    const BlockLosses<Real> losses =
        block_losses<from_log_odds, hard_term>(sums, scales);
    if (!all<Real>(losses.good & factors.good)) return false;

    const Vector<Real> soft = factors.soft_gradient / student.sum;
    const Vector<Real> share = factors.hard_gradient / hard.sum;
    for (int k = 0; k < 2; ++k) {
        z[k] = student.power[k] * soft - q[k] * soft_targets;
        if constexpr (hard_term != HardTerm::kNone)
            z[k] += hard.power[k] * share - select<Real>(factors.labels == k,
                                                         factors.hard_gradient,
                                                         Vector<Real>{});
    }
    store_columns(problem.gradient + row * 2, z);
    add_losses<hard_term>(losses, factors.weights, factors.labelled, scales,
                          problem.losses ? problem.losses + row : nullptr, total);
    return true;
}

// Columns of a block of rows.
template <class Real, int size, HardTerm hard_term>
struct Columns {
    Vector<Real> student[size];  // z, then e^(dz/T)
    Vector<Real> teacher[size];  // t, then e^(dt/T); or q
    Vector<Real> hard[hard_term == HardTerm::kOwn ? size : 1];  // e^dz
};

// The last tile overlaps the one before: it reads and writes the same again.
template <class Real>
SKDISTILL_INLINE Vector<Real> read_columns(const Real* from, std::int64_t n_classes,
                                           Vector<Real>* columns) {
    constexpr int width = kPieceLanes<Real>;
    if (n_classes == 3) {
        Vector<Real> three[3];
        load_columns(from, three);
        for (int i = 0; i < 3; ++i) columns[i] = three[i];
        return larger<Real>(larger<Real>(three[0], three[1]), three[2]);
    }
    Vector<Real> largest = broadcast(-std::numeric_limits<Real>::infinity());
    for (std::int64_t next = 0; next < n_classes; next += width) {
        const std::int64_t k = next < n_classes - width ? next : n_classes - width;
        Vector<Real> tile[width];
        load_tile(from + k, n_classes, tile);
        for (int i = 0; i < width; ++i) {
            columns[k + i] = tile[i];
            largest = larger<Real>(tile[i], largest);
        }
    }
    return largest;
}

// Rows that the processor should fetch meanwhile. Tiles hop between the rows of a
// block, and hardware does not see through that: without it arrays larger than the
// cache take up to twice as long.
template <class Real>
struct RowsAhead {
    RowsAhead(const SoftTargetProblem<Real>& problem, std::int64_t row,
              std::int64_t n_abreast) {
        const std::int64_t distance = 2 * n_abreast;
        const bool exist = row + distance + n_abreast <= problem.n_rows;
        const std::int64_t start = (exist ? row + distance : row) * problem.n_classes;
        logits = problem.logits + start;
        targets = problem.targets + start;
        gradient = problem.gradient + start;
    }

    // As many calls as the block has vectors fetch it.
    SKDISTILL_MEMBER void fetch(std::int64_t vector) const {
        __builtin_prefetch(logits + vector * kLanes<Real>);
        __builtin_prefetch(targets + vector * kLanes<Real>);
        __builtin_prefetch(gradient + vector * kLanes<Real>, 1);
    }

    const Real* logits;
    const Real* targets;
    const Real* gradient;
};

// What is the same for all columns of a block.
template <class Real>
struct RowContext {
    Vector<Real> student_largest;
    Vector<Real> teacher_largest;
    Mask<Real> labels;
};

template <class Real>
SKDISTILL_INLINE Vector<Real> keep_lanes(Vector<Real> values, Mask<Real> keep) {
    return (Vector<Real>)((Bits<Real>)values & (Bits<Real>)keep);
}

// Turns `count` vectors of the columns from `first` on, of the classes from k on, into
// exponentials; adds up the lanes kept by `keep`.
template <bool from_log_odds, HardTerm hard_term, int count, class Columns, class Real>
SKDISTILL_INLINE void add_columns(Columns& columns, std::int64_t first, std::int64_t k,
                                  Mask<Real> keep, const RowContext<Real>& row,
                                  const Scales<Real>& scales, BlockSums<Real>& sums) {
    Vector<Real> dz[count], gap[count], powers[from_log_odds ? 2 * count : count];
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
        powers[i] = gap[i] = dz[i] = columns.student[first + i] - row.student_largest;
        if constexpr (from_log_odds) {
            powers[count + i] = columns.teacher[first + i] - row.teacher_largest;
            gap[i] = powers[count + i] - dz[i];
        }
    }
    exponentials<Real>(powers, scales.softening);
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
        Vector<Real> q;
        if constexpr (from_log_odds) {
            columns.teacher[first + i] = q = powers[count + i];
        } else {
            q = columns.teacher[first + i];
            sums.entropy += keep_lanes<Real>(entropy_term<Real>(q), keep);
            sums.signs |= (Bits<Real>)q;
        }
        columns.student[first + i] = powers[i];
        sums.cross += keep_lanes<Real>(q * gap[i], keep);
        sums.student += keep_lanes<Real>(powers[i], keep);
        sums.teacher += keep_lanes<Real>(q, keep);
        if constexpr (hard_term != HardTerm::kNone)
            sums.label_shift = select<Real>(row.labels == class_number<Real>(k + i), dz[i],
                                            sums.label_shift);
    }
    if constexpr (hard_term == HardTerm::kOwn) {
        exponentials<Real>(dz, scales.unsoftened);
#pragma GCC unroll 4
        for (int i = 0; i < count; ++i) {
            columns.hard[first + i] = dz[i];
            sums.hard += keep_lanes<Real>(dz[i], keep);
        }
    }
}

// Factors of the columns in the gradient.
template <class Real>
struct Slopes {
    Vector<Real> student;
    Vector<Real> teacher;
    Vector<Real> hard;
    Vector<Real> label;
    Mask<Real> labels;
};

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE Slopes<Real> make_slopes(const BlockFactors<Real>& factors,
                                          const BlockSums<Real>& sums) {
    Slopes<Real> slopes{};
    slopes.student = factors.soft_gradient / sums.student;
    slopes.teacher = factors.soft_gradient;
    if constexpr (from_log_odds) slopes.teacher /= sums.teacher;
    if constexpr (hard_term == HardTerm::kShared)
        slopes.student += factors.hard_gradient / sums.student;
    if constexpr (hard_term == HardTerm::kOwn)
        slopes.hard = factors.hard_gradient / sums.hard;
    slopes.label = factors.hard_gradient;
    slopes.labels = factors.labels;
    return slopes;
}

// Gradient of vector i of the columns, which holds class k.
template <HardTerm hard_term, class Columns, class Real>
SKDISTILL_INLINE Vector<Real> slope(const Columns& columns, const Slopes<Real>& slopes,
                                    std::int64_t i, std::int64_t k) {
    Vector<Real> value =
        columns.student[i] * slopes.student - columns.teacher[i] * slopes.teacher;
    if constexpr (hard_term == HardTerm::kOwn) value += columns.hard[i] * slopes.hard;
    if constexpr (hard_term != HardTerm::kNone)
        value -= select<Real>(slopes.labels == class_number<Real>(k), slopes.label,
                              Vector<Real>{});
    return value;
}

template <HardTerm hard_term, class Columns, class Real>
SKDISTILL_INLINE void write_gradient(const Columns& columns, const Slopes<Real>& slopes,
                                     std::int64_t n_classes, Real* gradient) {
    constexpr int width = kPieceLanes<Real>;
    if (n_classes == 3) {
        Vector<Real> three[3];
        for (int i = 0; i < 3; ++i) three[i] = slope<hard_term>(columns, slopes, i, i);
        store_columns(gradient, three);
        return;
    }
    for (std::int64_t next = 0; next < n_classes; next += width) {
        const std::int64_t k = next < n_classes - width ? next : n_classes - width;
        Vector<Real> tile[width];
        for (int i = 0; i < width; ++i)
            tile[i] = slope<hard_term>(columns, slopes, k + i, k + i);
        store_tile(gradient + k, n_classes, tile);
    }
}

template <int most, bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE bool columns_block(const SoftTargetProblem<Real>& problem,
                                    const Scales<Real>& scales, std::int64_t row,
                                    Doubles<Real>& total) {
    const std::int64_t n_classes = problem.n_classes;
    Columns<Real, most, hard_term> columns;
    const BlockFactors<Real> factors = block_factors(problem, scales, row);
    const RowContext<Real> context{
        read_columns(problem.logits + row * n_classes, n_classes, columns.student),
        read_columns(problem.targets + row * n_classes, n_classes, columns.teacher),
        factors.labels};
    const RowsAhead<Real> ahead(problem, row, kLanes<Real>);
    const Mask<Real> every = Mask<Real>{} - 1;
    BlockSums<Real> sums{};
    for (std::int64_t k = 0; k < n_classes; ++k) {
        ahead.fetch(k);
        add_columns<from_log_odds, hard_term, 1>(columns, k, k, every, context, scales,
                                                 sums);
    }
    const BlockLosses<Real> losses =
        block_losses<from_log_odds, hard_term>(sums, scales);
    if (!all<Real>(losses.good & factors.good)) return false;

    const Slopes<Real> slopes = make_slopes<from_log_odds, hard_term>(factors, sums);
    write_gradient<hard_term>(columns, slopes, n_classes,
                              problem.gradient + row * n_classes);
    add_losses<hard_term>(losses, factors.weights, factors.labelled, scales,
                          problem.losses ? problem.losses + row : nullptr, total);
    return true;
}

template <int most, bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE bool few_block(const SoftTargetProblem<Real>& problem,
                                const Scales<Real>& scales, std::int64_t row,
                                Doubles<Real>& total) {
    if (problem.n_classes == 2)
        return pair_block<from_log_odds, hard_term>(problem, scales, row, total);
    return columns_block<most, from_log_odds, hard_term>(problem, scales, row, total);
}

// Fewer rows than lanes, shorter than a vector, filled up with rows of weight 0.
template <class Real>
struct PaddedRows {
    Real logits[kLanes<Real> * kLanes<Real>];  // then the gradient
    Real targets[kLanes<Real> * kLanes<Real>];
    std::int64_t labels[kLanes<Real>];
    Real weights[kLanes<Real>];
    Real losses[kLanes<Real>];

    PaddedRows(const SoftTargetProblem<Real>& problem, std::int64_t begin,
               std::int64_t end) {
        const std::int64_t n_classes = problem.n_classes;
        for (std::int64_t i = 0; i < kLanes<Real>; ++i) {
            const bool real = begin + i < end;
            const std::int64_t row = (real ? begin + i : begin) * n_classes;
            const std::size_t bytes = n_classes * sizeof(Real);
            __builtin_memcpy(logits + i * n_classes, problem.logits + row, bytes);
            __builtin_memcpy(targets + i * n_classes, problem.targets + row, bytes);
            labels[i] = real && problem.labels ? problem.labels[begin + i] : -1;
            weights[i] = !real ? Real(0)
                               : problem.weights ? problem.weights[begin + i] : Real(1);
        }
    }
};

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_OUTLINE SoftTargetResult padded_rows(const SoftTargetProblem<Real>& problem,
                                               std::int64_t begin, std::int64_t end) {
    PaddedRows<Real> rows(problem, begin, end);
    SoftTargetProblem<Real> padded = problem;
    padded.logits = rows.logits;
    padded.gradient = rows.logits;
    padded.targets = rows.targets;
    padded.labels = rows.labels;
    padded.weights = rows.weights;
    padded.losses = rows.losses;
    padded.n_rows = kLanes<Real>;
    SoftTargetResult result{0.0, -1};
    Doubles<Real> total{};
    if (!few_block<std::max(4, kLanes<Real>), from_log_odds, hard_term>(
            padded, Scales<Real>(problem), 0, total)) {
        scalar::add_rows(problem, begin, end, result);
        return result;
    }
    const std::size_t n_rows = static_cast<std::size_t>(end - begin);
    __builtin_memcpy(problem.gradient + begin * problem.n_classes, rows.logits,
                     n_rows * problem.n_classes * sizeof(Real));
    if (problem.losses)
        __builtin_memcpy(problem.losses + begin, rows.losses, n_rows * sizeof(Real));
    result.total = sum_doubles(total);
    return result;
}
