// Rows of many classes: each row fills vectors by itself.
//
// A row is read in chunks whose exponentials are kept until the gradient needs
// them: those of the student where the gradient will be, unless the logits are there.
// Of rows longer than a chunk all but the last are computed a second time. The last
// vector of a chunk overlaps the one before instead of being cut short.

// More numbers of a lane would lose the precision that BlockSums are trusted with.
constexpr std::int64_t kLongestChunk = 1024;

// Of a chunk.
template <class Real>
struct Exponentials {
    Real* student;  // e^(dz/T)
    Real* teacher;  // e^(dt/T)
    Real* hard;     // e^dz
};

// The arrays that a problem needs share the memory.
template <bool from_log_odds, HardTerm hard_term, class Real>
struct Chunks {
    static constexpr std::int64_t kSize =
        kScratchBytes / static_cast<std::int64_t>(sizeof(Real));

    Exponentials<Real> arrays;
    std::int64_t length;  // of a chunk, at most
    std::int64_t count;   // of the chunks of a row
    bool keeps_student;
    Real memory[kSize];

    Chunks(std::int64_t n, bool in_place) : keeps_student(in_place) {
        const int n_arrays = in_place + from_log_odds + (hard_term == HardTerm::kOwn);
        length = n_arrays ? kSize / n_arrays : kLongestChunk;
        if (length > kLongestChunk) length = kLongestChunk;
        arrays.student = memory;
        arrays.teacher = memory + (in_place ? length : 0);
        arrays.hard = arrays.teacher + (from_log_odds ? length : 0);
        count = (n + length - 1) / length;
    }

    // Where a chunk of a row starts: only the first, of at least a vector, is shorter.
    std::int64_t start(std::int64_t chunk, std::int64_t n) const {
        if (chunk == 0) return 0;
        const std::int64_t start = n - (count - chunk) * length;
        return start < kLanes<Real> ? kLanes<Real> : start;
    }

    // Make ready for a chunk of a row, and return where it starts.
    std::int64_t open(std::int64_t chunk, std::int64_t n, Real* gradient) {
        const std::int64_t k = start(chunk, n);
        if (!keeps_student) arrays.student = gradient + k;
        return k;
    }
};

template <class Real>
SKDISTILL_INLINE Real row_maximum(const Real* values, std::int64_t n) {
    constexpr std::int64_t lanes = kLanes<Real>;
    Vector<Real> largest = load(values + n - lanes);
    for (std::int64_t k = 0; k + lanes <= n; k += lanes)
        largest = larger<Real>(load(values + k), largest);
    return largest_lane(largest);
}

// The largest numbers of the row that comes next. They are found while the
// exponentials of the row before keep the processor busy.
template <class Real>
struct Largest {
    Vector<Real> student;
    Vector<Real> teacher;
};

template <class Real>
SKDISTILL_INLINE Largest<Real> nothing_yet() {
    const Vector<Real> lowest = broadcast(-std::numeric_limits<Real>::infinity());
    return {lowest, lowest};
}

template <class Real>
struct LongRow {
    Real student_largest;
    Real teacher_largest;
    ExpScale<Real> softening;
    ExpScale<Real> unsoftened;
    Real* gradient;        // where that of the row will be written
    std::int64_t next;     // numbers to the next row, 0 if there is none
    std::int64_t ahead;    // numbers to the row to be fetched, 0 if there is none
};

// One vector of each: exponentials to the chunk, sums of the lanes kept by `keep`.
template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE void add_vector(const Real* z, const Real* t, std::int64_t k,
                                 const LongRow<Real>& row, Mask<Real> keep,
                                 const Exponentials<Real> chunk, BlockSums<Real>& sums,
                                 Largest<Real>& next) {
    __builtin_prefetch(z + k + row.ahead);
    __builtin_prefetch(t + k + row.ahead);
    __builtin_prefetch(row.gradient + k + row.ahead, 1);
    next.student = larger<Real>(load(z + k + row.next), next.student);
    if constexpr (from_log_odds)
        next.teacher = larger<Real>(load(t + k + row.next), next.teacher);
    const Vector<Real> dz = load(z + k) - row.student_largest;
    if constexpr (from_log_odds) {
        const Vector<Real> dt = load(t + k) - row.teacher_largest;
        Vector<Real> powers[] = {dz, dt};
        exponentials<Real>(powers, row.softening);
        store(chunk.student + k, powers[0]);
        store(chunk.teacher + k, powers[1]);
        sums.student += keep_lanes<Real>(powers[0], keep);
        sums.teacher += keep_lanes<Real>(powers[1], keep);
        sums.cross += keep_lanes<Real>(powers[1] * (dt - dz), keep);
    } else {
        const Vector<Real> power = exponential<Real>(dz, row.softening);
        const Vector<Real> q = load(t + k);
        store(chunk.student + k, power);
        sums.student += keep_lanes<Real>(power, keep);
        sums.teacher += keep_lanes<Real>(q, keep);
        sums.cross += keep_lanes<Real>(q * dz, keep);
        sums.entropy += keep_lanes<Real>(entropy_term<Real>(q), keep);
        sums.signs |= (Bits<Real>)q;
    }
    if constexpr (hard_term == HardTerm::kOwn) {
        const Vector<Real> hard = exponential<Real>(dz, row.unsoftened);
        store(chunk.hard + k, hard);
        sums.hard += keep_lanes<Real>(hard, keep);
    }
}

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE BlockSums<Real> fill_chunk(const Real* z, const Real* t, std::int64_t n,
                                            const LongRow<Real>& row,
                                            const Exponentials<Real> chunk,
                                            Largest<Real>& next) {
    constexpr std::int64_t lanes = kLanes<Real>;
    const Mask<Real> every = Mask<Real>{} - 1;
    BlockSums<Real> sums{};
    std::int64_t k = 0;
    for (; k + lanes <= n; k += lanes)
        add_vector<from_log_odds, hard_term>(z, t, k, row, every, chunk, sums, next);
    if (k < n)
        add_vector<from_log_odds, hard_term>(z, t, n - lanes, row,
                                             lanes_from<Real>(k - (n - lanes)), chunk,
                                             sums, next);
    return sums;
}

template <class Real>
struct RowSlopes {
    Real student;
    Real teacher;
    Real hard;
};

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE void write_chunk(const Exponentials<Real> chunk, const Real* t,
                                  std::int64_t n,
                                  const RowSlopes<Real>& slopes, Real* gradient) {
    constexpr std::int64_t lanes = kLanes<Real>;
    const Real* teacher = from_log_odds ? chunk.teacher : t;
    // The exponentials may be where the gradient is written.
    const Vector<Real> last_student = load(chunk.student + n - lanes);
    for (std::int64_t next = 0; next < n; next += lanes) {
        const std::int64_t k = next < n - lanes ? next : n - lanes;
        const Vector<Real> student = k == next ? load(chunk.student + k) : last_student;
        Vector<Real> value =
            student * slopes.student - load(teacher + k) * slopes.teacher;
        if constexpr (hard_term == HardTerm::kOwn)
            value += load(chunk.hard + k) * slopes.hard;
        store(gradient + k, value);
    }
}

// Sums of one row, over its chunks in double.
struct RowSums {
    double student;
    double teacher;
    double cross;
    double entropy;
    double hard;
    bool good;
};

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE void add_chunk(const BlockSums<Real>& chunk, RowSums& row) {
    row.student += sum_lanes(chunk.student);
    row.teacher += sum_lanes(chunk.teacher);
    row.cross += sum_lanes(chunk.cross);
    if constexpr (!from_log_odds) {
        row.entropy += sum_lanes(chunk.entropy);
        row.good = row.good && all<Real>((Mask<Real>)chunk.signs >= 0);
    }
    if constexpr (hard_term == HardTerm::kOwn) row.hard += sum_lanes(chunk.hard);
}

// Sums of as many rows as a vector has lanes: they wait for each other, so that
// the logarithms are those of a vector.
template <class Real>
struct WaitingRows {
    Real student[kLanes<Real>];
    Real teacher[kLanes<Real>];
    Real cross[kLanes<Real>];
    Real entropy[kLanes<Real>];
    Real hard[kLanes<Real>];
    Real label_shift[kLanes<Real>];
    Real weights[kLanes<Real>];
    Real labelled[kLanes<Real>];
    Real losses[kLanes<Real>];
    bool waits[kLanes<Real>];
    std::int64_t next = -1;  // number of the row whose largest numbers are known
    Real next_student = 0;
    Real next_teacher = 0;

    // A lane without a row: its loss is 0.
    void clear(std::int64_t lane) {
        student[lane] = teacher[lane] = hard[lane] = Real(1);
        cross[lane] = entropy[lane] = label_shift[lane] = Real(0);
        weights[lane] = labelled[lane] = Real(0);
        waits[lane] = false;
    }
};

template <bool from_log_odds, HardTerm hard_term, class Chunks, class Real>
SKDISTILL_INLINE RowSums sum_row(const Real* z, const Real* t, std::int64_t n,
                                 const LongRow<Real>& row, Chunks& chunks,
                                 Largest<Real>& next) {
    RowSums sums{0.0, 0.0, 0.0, 0.0, 0.0, true};
    for (std::int64_t i = 0; i < chunks.count; ++i) {
        const std::int64_t k = chunks.open(i, n, row.gradient);
        add_chunk<from_log_odds, hard_term>(
            fill_chunk<from_log_odds, hard_term>(z + k, t + k, chunks.start(i + 1, n) - k,
                                                 row, chunks.arrays, next),
            sums);
    }
    const double cross = from_log_odds ? sums.cross / sums.teacher : sums.cross;
    const double largest = std::numeric_limits<Real>::max();
    sums.good = sums.good && cross >= -largest && cross <= largest;
    if constexpr (!from_log_odds)
        sums.good = sums.good && sums.teacher >= 1.0 - kSumTolerance * 0.9 &&
                    sums.teacher <= 1.0 + kSumTolerance * 0.9;
    return sums;
}

// The exponentials of the last chunk are still there.
template <bool from_log_odds, HardTerm hard_term, class Chunks, class Real>
SKDISTILL_INLINE void write_row(const Real* z, const Real* t, std::int64_t n,
                                const LongRow<Real>& row,
                                const RowSlopes<Real>& slopes, Chunks& chunks,
                                Real* gradient) {
    for (std::int64_t i = chunks.count - 1; i >= 0; --i) {
        const std::int64_t k = chunks.open(i, n, gradient);
        const std::int64_t length = chunks.start(i + 1, n) - k;
        Largest<Real> next = nothing_yet<Real>();
        if (i < chunks.count - 1)
            fill_chunk<from_log_odds, hard_term>(z + k, t + k, length, row, chunks.arrays,
                                                 next);
        write_chunk<from_log_odds, hard_term>(chunks.arrays, t + k, length, slopes,
                                              gradient + k);
    }
}

// False, with nothing written, if the row must be left to the scalar rows.
template <bool from_log_odds, HardTerm hard_term, class Chunks, class Real>
SKDISTILL_INLINE bool many_row(const SoftTargetProblem<Real>& problem,
                               const Scales<Real>& scales, std::int64_t row,
                               std::int64_t end, Chunks& chunks,
                               WaitingRows<Real>& waiting, std::int64_t lane) {
    const std::int64_t n = problem.n_classes;
    const Real* z = problem.logits + row * n;
    const Real* t = problem.targets + row * n;
    Real* gradient = problem.gradient + row * n;
    const Real weight = problem.weights ? problem.weights[row] : Real(1);
    const std::int64_t label = problem.labels ? problem.labels[row] : -1;
    if (!(weight >= Real(0) && weight <= scales.weight_limit)) return false;
    if (label < -1 || label >= n) return false;
    if (waiting.next != row) {
        waiting.next_student = row_maximum(z, n);
        if constexpr (from_log_odds) waiting.next_teacher = row_maximum(t, n);
    }
    // Rows from `end` on are another thread's, which may write them.
    const std::int64_t left = end - row - 1;
    const LongRow<Real> context{waiting.next_student,
                                from_log_odds ? waiting.next_teacher : Real(0),
                                scales.softening,
                                scales.unsoftened,
                                gradient,
                                left > 0 ? n : 0,
                                left > 1 ? 2 * n : 0};
    Largest<Real> next = nothing_yet<Real>();
    const RowSums sums =
        sum_row<from_log_odds, hard_term>(z, t, n, context, chunks, next);
    waiting.next = left > 0 ? row + 1 : -1;
    waiting.next_student = largest_lane(next.student);
    waiting.next_teacher = largest_lane(next.teacher);
    if (!sums.good) return false;

    const bool labelled = hard_term != HardTerm::kNone && label >= 0;
    const double hard = labelled ? weight * scales.hard_gradient : 0.0;
    const double soft = weight * scales.soft_gradient;
    RowSlopes<Real> slopes{};
    slopes.student = static_cast<Real>(
        (hard_term == HardTerm::kShared ? soft + hard : soft) / sums.student);
    slopes.teacher = static_cast<Real>(from_log_odds ? soft / sums.teacher : soft);
    if constexpr (hard_term == HardTerm::kOwn)
        slopes.hard = static_cast<Real>(hard / sums.hard);
    waiting.label_shift[lane] = labelled ? z[label] - context.student_largest : Real(0);
    write_row<from_log_odds, hard_term>(z, t, n, context, slopes, chunks, gradient);
    if (labelled) gradient[label] -= static_cast<Real>(hard);

    waiting.student[lane] = static_cast<Real>(sums.student);
    waiting.teacher[lane] = static_cast<Real>(sums.teacher);
    waiting.cross[lane] = static_cast<Real>(sums.cross);
    waiting.entropy[lane] = static_cast<Real>(sums.entropy);
    waiting.hard[lane] = static_cast<Real>(sums.hard);
    waiting.weights[lane] = weight;
    waiting.labelled[lane] = labelled ? weight : Real(0);
    waiting.waits[lane] = true;
    return true;
}

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE void add_waiting(WaitingRows<Real>& waiting, const Scales<Real>& scales,
                                  Real* losses_out, Doubles<Real>& total) {
    BlockSums<Real> sums{};
    sums.student = load(waiting.student);
    sums.teacher = load(waiting.teacher);
    sums.cross = load(waiting.cross);
    sums.entropy = load(waiting.entropy);
    if constexpr (hard_term == HardTerm::kOwn) sums.hard = load(waiting.hard);
    sums.label_shift = load(waiting.label_shift);
    add_losses<hard_term>(block_losses<from_log_odds, hard_term>(sums, scales),
                          load(waiting.weights), load(waiting.labelled), scales,
                          waiting.losses, total);
    if (!losses_out) return;
    for (std::int64_t lane = 0; lane < kLanes<Real>; ++lane)
        if (waiting.waits[lane]) losses_out[lane] = waiting.losses[lane];
}

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_OUTLINE SoftTargetResult many_classes(const SoftTargetProblem<Real>& problem,
                                                std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t lanes = kLanes<Real>;
    const Scales<Real> scales(problem);
    SoftTargetResult result{0.0, -1};
    Doubles<Real> total{};
    Chunks<from_log_odds, hard_term, Real> chunks(
        problem.n_classes, problem.gradient == problem.logits);
    WaitingRows<Real> waiting;
    for (std::int64_t first = begin; first < end; first += lanes) {
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
            const std::int64_t row = first + lane;
            waiting.clear(lane);
            if (row >= end ||
                many_row<from_log_odds, hard_term>(problem, scales, row, end, chunks,
                                                   waiting, lane))
                continue;
            if (!scalar::add_rows(problem, row, row + 1, result)) return result;
        }
        add_waiting<from_log_odds, hard_term>(
            waiting, scales, problem.losses ? problem.losses + first : nullptr, total);
    }
    result.total += sum_doubles(total);
    return result;
}
