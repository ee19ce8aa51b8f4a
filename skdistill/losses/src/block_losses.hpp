// From the sums of a block of rows, one row per lane, to losses and factors.
//
// With dz = z - max z and dt = t - max t a row is reduced to a few sums. For
// targets given as log-odds, KL is
//     1/T  sum_k e^(dt/T) (dt - dz) / sum_k e^(dt/T)
//        + log(sum_k e^(dz/T) / sum_k e^(dt/T)),
// for targets given as probabilities
//     sum_k q log q  -  1/T sum_k q dz  +  sum_k q  log(sum_k e^(dz/T)),
// and the hard term is log(sum_k e^dz) - dz[label].
//
// An infinity or a NaN among z or t makes `cross` an infinity or a NaN: that is
// the whole check for finite input, it costs nothing per number.

enum class HardTerm {
    kNone,    // no labels, or alpha == 1
    kShared,  // T == 1: the exponentials are those of the soft term
    kOwn,
};

template <class Real>
struct BlockSums {
    Vector<Real> student;     // sum e^(dz/T)
    Vector<Real> teacher;     // sum e^(dt/T), or sum q
    Vector<Real> cross;       // sum e^(dt/T) (dt - dz), or sum q dz
    Vector<Real> entropy;     // sum q log q, probabilities only
    Vector<Real> hard;        // sum e^dz
    Vector<Real> label_shift; // dz[label]
    Bits<Real> signs;         // sign bit set where a probability is negative
};

// q log q, and 0 for 0 as in the limit.
template <class Real>
SKDISTILL_INLINE Vector<Real> entropy_term(Vector<Real> q) {
    return q * logarithm(larger<Real>(q, broadcast(std::numeric_limits<Real>::min())));
}

// What does not change from row to row.
template <class Real>
struct Scales {
    explicit Scales(const SoftTargetProblem<Real>& problem)
        : cross(problem.alpha * problem.temperature),
          divergence(cross * problem.temperature),
          hard(1.0 - problem.alpha),
          soft_gradient(cross * problem.gradient_scale),
          hard_gradient(hard * problem.gradient_scale),
          softening(problem.temperature),
          unsoftened(1.0) {
        // Beyond it a factor of the gradient may overflow; half for rounding.
        const double factor =
            soft_gradient > hard_gradient ? soft_gradient : hard_gradient;
        const double largest = std::numeric_limits<Real>::max();
        weight_limit = factor > 1.0 ? static_cast<Real>(largest / factor * 0.5)
                                    : std::numeric_limits<Real>::max();
        // At most 256 probabilities of a lane are added up in Real; a sum this close
        // to the tolerance is left to the scalar rows.
        sum_limit = static_cast<Real>(kSumTolerance -
                                      512.0 * std::numeric_limits<Real>::epsilon());
    }

    double cross;
    double divergence;
    double hard;
    double soft_gradient;
    double hard_gradient;
    ExpScale<Real> softening;
    ExpScale<Real> unsoftened;
    Real weight_limit;
    Real sum_limit;
};

// The parts of the losses of a block; good where they can be trusted.
template <class Real>
struct BlockLosses {
    Vector<Real> cross;       // to be multiplied by Scales::cross
    Vector<Real> divergence;  // to be multiplied by Scales::divergence
    Vector<Real> hard;        // to be multiplied by Scales::hard
    Mask<Real> good;
};

template <bool from_log_odds, HardTerm hard_term, class Real>
SKDISTILL_INLINE BlockLosses<Real> block_losses(const BlockSums<Real>& sums,
                                                const Scales<Real>& scales) {
    BlockLosses<Real> losses;
    if constexpr (from_log_odds) {
        losses.cross = sums.cross / sums.teacher;
        losses.divergence = logarithm(sums.student / sums.teacher);
        losses.good = is_finite<Real>(losses.cross);
    } else {
        losses.cross = -sums.cross;
        losses.divergence = sums.entropy + sums.teacher * logarithm(sums.student);
        losses.good = is_finite<Real>(losses.cross) &
                      (magnitude<Real>(sums.teacher - Real(1)) <= scales.sum_limit) &
                      ((Mask<Real>)sums.signs >= 0);
    }
    if constexpr (hard_term == HardTerm::kShared)
        losses.hard = logarithm(sums.student) - sums.label_shift;
    else if constexpr (hard_term == HardTerm::kOwn)
        losses.hard = logarithm(sums.hard) - sums.label_shift;
    else
        losses.hard = Vector<Real>{};
    return losses;
}

// What multiplies the losses and the gradient of each row of a block.
template <class Real>
struct BlockFactors {
    Vector<Real> weights;
    Vector<Real> labelled;       // weights where there is a label, else 0
    Vector<Real> soft_gradient;
    Vector<Real> hard_gradient;
    Mask<Real> labels;
    Mask<Real> good;
};

// True in all lanes unless a label is outside [-1, n_classes).
template <class Real>
SKDISTILL_INLINE Mask<Real> read_labels(const std::int64_t* from, std::int64_t n_classes,
                                        Mask<Real>& labels) {
    constexpr int lanes = kLanes<Real>;
    constexpr int part = kLanes<double>;
    const LabelMemory* memory = reinterpret_cast<const LabelMemory*>(from);
    typedef std::uint64_t Unsigned __attribute__((vector_size(kBytes)));
    const std::uint64_t limit = static_cast<std::uint64_t>(n_classes) + 1;
    if constexpr (lanes == part) {
        labels = memory[0];
        return (Unsigned)labels + 1 < limit;
    } else {
        typedef std::int32_t Half __attribute__((vector_size(kBytes / 2)));
        const Mask<double> first = memory[0];
        const Mask<double> second = memory[1];
        labels = lanes_of<0, lanes>(__builtin_convertvector(first, Half),
                                    __builtin_convertvector(second, Half));
        return lanes_of<0, lanes>(
            __builtin_convertvector((Unsigned)first + 1 < limit, Half),
            __builtin_convertvector((Unsigned)second + 1 < limit, Half));
    }
}

template <class Real>
SKDISTILL_INLINE BlockFactors<Real> block_factors(const SoftTargetProblem<Real>& problem,
                                                  const Scales<Real>& scales,
                                                  std::int64_t row) {
    BlockFactors<Real> factors;
    factors.weights = broadcast(Real(1));
    if (problem.weights) factors.weights = load(problem.weights + row);
    factors.good =
        (factors.weights >= Real(0)) & (factors.weights <= scales.weight_limit);
    factors.labels = Mask<Real>{} - 1;
    if (problem.labels)
        factors.good &=
            read_labels<Real>(problem.labels + row, problem.n_classes, factors.labels);
    factors.labelled = select<Real>(factors.labels >= 0, factors.weights, Vector<Real>{});
    factors.soft_gradient = broadcast(static_cast<Real>(scales.soft_gradient));
    factors.hard_gradient = broadcast(static_cast<Real>(scales.hard_gradient));
    if (problem.weights) {
        // In double: a tiny scale times a huge weight is an ordinary number.
        Doubles<Real> soft = to_doubles(factors.weights, Real());
        Doubles<Real> hard = soft;
        for (auto& part : soft.part) part *= scales.soft_gradient;
        for (auto& part : hard.part) part *= scales.hard_gradient;
        factors.soft_gradient = from_doubles(soft);
        factors.hard_gradient = from_doubles(hard);
    }
    factors.hard_gradient =
        select<Real>(factors.labels >= 0, factors.hard_gradient, Vector<Real>{});
    return factors;
}

// Adds the block to `total` and writes its losses, both in double until the end.
template <HardTerm hard_term, class Real>
SKDISTILL_INLINE void add_losses(const BlockLosses<Real>& losses,
                                 Vector<Real> weights, Vector<Real> labelled,
                                 const Scales<Real>& scales, Real* losses_out,
                                 Doubles<Real>& total) {
    const Doubles<Real> cross = to_doubles(losses.cross, Real());
    const Doubles<Real> divergence = to_doubles(losses.divergence, Real());
    const Doubles<Real> hard = to_doubles(losses.hard, Real());
    const Doubles<Real> weight = to_doubles(weights, Real());
    const Doubles<Real> hard_weight = to_doubles(labelled, Real());
    Doubles<Real> rows;
    for (int i = 0; i < Doubles<Real>::kParts; ++i) {
        rows.part[i] = (cross.part[i] * scales.cross +
                        divergence.part[i] * scales.divergence) * weight.part[i];
        if constexpr (hard_term != HardTerm::kNone)
            rows.part[i] += hard.part[i] * scales.hard * hard_weight.part[i];
        total.part[i] += rows.part[i];
    }
    if (losses_out) store(losses_out, from_doubles(rows));
}
