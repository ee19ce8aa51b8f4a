// exp and log of vectors.
//
// Errors, in units in the last place, for float and double, with or without fused
// products and sums (which the results may therefore depend on, their bounds not):
//     exp(x) for x <= 0:                   below 2; 0 from kExpLowest down, where
//                                          exp falls to the smallest normal number,
//                                          and for NaN
//     log(x) for positive normal numbers:  below 2
// Measured over floats with fusing: exp 1.05 and 1.74, log 0.85 and 1.90, of vectors
// of 32 and of 64 bytes; without: exp 1.35 and 1.96, log 0.86 and 1.90. The tests keep
// to the bounds.

template <class Real>
struct Constants;

// exp(r) = 1 + r Q(r) for |r| <= log(2)/2, minimising the relative error: 2^-28.9
// (float), 2^-57.9 (double); log(1 + f) as described at each `log`. Floats of the widest
// vectors have |r| <= log(2)/64, error 2^-24.2, and the rest of the power from a table: a
// permutation of 32 numbers takes the place of three products.
template <>
struct Constants<float> {
    static constexpr int kMantissa = 23;
    static constexpr float kRound = 12582912.0f;     // 1.5 * 2^23: adding it rounds
    static constexpr float kLog2E = 1.44269504f;
    static constexpr float kLn2High = 0.693359375f;  // 10 bits: n * kLn2High is exact
    static constexpr float kLn2Low = -2.12194440e-4f;
    static constexpr float kExpLowest = -87.3365f;
#if SKDISTILL_VECTOR_BYTES == 64
    static constexpr int kStepBits = 5;
    static constexpr float kExp[] = {1.0000146627426147f, 0.5000012516975403f};
#else
    static constexpr int kStepBits = 0;
    static constexpr float kExp[] = {1.0f,
                                     0.49999994191430606f,
                                     0.16666430800579472f,
                                     0.04166800476899859f,
                                     0.00837419561991762f,
                                     0.00138436046542603f};
#endif
};

template <>
struct Constants<double> {
    static constexpr int kMantissa = 52;
    static constexpr int kStepBits = 0;
    static constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double kLog2E = 1.4426950408889634;
    static constexpr double kLn2High = 6.93147180369123816490e-01;  // 32 bits
    static constexpr double kLn2Low = 1.90821492927058770002e-10;
    static constexpr double kExpLowest = -708.396;
    static constexpr double kExp[] = {1.0,
                                      0.50000000000000106687,
                                      0.16666666666666411603,
                                      0.041666666666529730061,
                                      0.0083333333334949140154,
                                      0.0013888888943759381682,
                                      0.00019841269505913956545,
                                      0.000024801492950244810246,
                                      2.7557586676946251825e-6,
                                      2.7630306046278999753e-7,
                                      2.5000059317486057907e-8};
};

template <class Real, int size>
SKDISTILL_INLINE Vector<Real> horner(const Real (&coefficients)[size], Vector<Real> x) {
    Vector<Real> value = broadcast(coefficients[size - 1]);
#pragma GCC unroll 16
    for (int i = size - 2; i >= 0; --i) value = value * x + coefficients[i];
    return value;
}

// Constants of exp(d / T) = 2^(m/steps) exp((d - m T log(2)/steps) / T). T is in all of
// them, so that it costs nothing per number.
template <class Real>
struct ExpScale {
    using C = Constants<Real>;
    static constexpr int kDegree = sizeof(C::kExp) / sizeof(Real);

    explicit ExpScale(double temperature) {
        const double step = temperature / (1 << C::kStepBits);
        steps_per_unit = static_cast<Real>(C::kLog2E / step);
        lowest = static_cast<Real>(C::kExpLowest * temperature);
        const double step_high = C::kLn2High * step;
        // Without the lower half of its bits, so that its products are exact.
        const Real shift = static_cast<Real>(step_high * kSplit);
        high = (shift + static_cast<Real>(step_high)) - shift;
        low = static_cast<Real>((step_high - high) + C::kLn2Low * step);
        double power = 1.0;
        for (int i = 0; i < kDegree; ++i) {
            power /= temperature;
            coefficients[i] = static_cast<Real>(C::kExp[i] * power);
        }
    }

    static constexpr double kSplit = sizeof(Real) == 4 ? 0x1p12 : 0x1p21;
    Real steps_per_unit;
    Real lowest;
    Real high;  // of the length of a step
    Real low;
    Real coefficients[kDegree];
};

#if SKDISTILL_VECTOR_BYTES == 64
// 2^(m/32) for m = 0..31 as bits, less m in the bits where a whole m is added.
alignas(64) static constexpr std::uint32_t kStepPowers[32] = {
    0x3f800000, 0x3f7ecd87, 0x3f7daac3, 0x3f7c980f, 0x3f7b95c2, 0x3f7aa43a, 0x3f79c3d3,
    0x3f78f4f0, 0x3f7837f0, 0x3f778d3a, 0x3f76f532, 0x3f767043, 0x3f75fed7, 0x3f75a15b,
    0x3f75583f, 0x3f7523f6, 0x3f7504f3, 0x3f74fbaf, 0x3f7508a4, 0x3f752c4d, 0x3f75672a,
    0x3f75b9be, 0x3f76248c, 0x3f76a81e, 0x3f7744fd, 0x3f77fbb8, 0x3f78ccdf, 0x3f79b907,
    0x3f7ac0c7, 0x3f7be4ba, 0x3f7d257d, 0x3f7e83b3};

// 2^(m/32) of the integer m in the lowest bits of `rounded`.
SKDISTILL_INLINE Vector<float> step_power(Vector<float> rounded) {
    const Bits<float> bits = (Bits<float>)rounded;
    const Bits<float> fraction = (Bits<float>)_mm512_permutex2var_epi32(
        _mm512_load_si512(kStepPowers), (__m512i)bits,
        _mm512_load_si512(kStepPowers + 16));
    return (Vector<float>)(fraction + (bits << (23 - Constants<float>::kStepBits)));
}
#endif

// 2^(m/steps) (1 + r Q(r)) with m in the lowest bits of `rounded`.
template <class Real>
SKDISTILL_INLINE Vector<Real> scaled_power(Vector<Real> rounded, Vector<Real> q,
                                           Vector<Real> r) {
    using C = Constants<Real>;
    if constexpr (C::kStepBits > 0) {
        const Vector<Real> power = step_power(rounded);
        return power * (q * r) + power;
    } else {
        const Vector<Real> mantissa = q * r + Real(1);
        return (Vector<Real>)((Bits<Real>)mantissa +
                              ((Bits<Real>)rounded << C::kMantissa));
    }
}

// exp(d / T) of several vectors. One after the other they would wait: each is a chain
// of instructions that need the one before, too long for the processor to look past.
template <class Real, int count>
SKDISTILL_INLINE void exponentials(Vector<Real> (&values)[count],
                                   const ExpScale<Real>& scale) {
    using C = Constants<Real>;
    Vector<Real> rounded[count], r[count], q[count];
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i)
        rounded[i] = values[i] * scale.steps_per_unit + C::kRound;
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i)
        r[i] = (values[i] - (rounded[i] - C::kRound) * scale.high) -
               (rounded[i] - C::kRound) * scale.low;
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i)
        q[i] = broadcast(scale.coefficients[ExpScale<Real>::kDegree - 1]);
#pragma GCC unroll 16
    for (int j = ExpScale<Real>::kDegree - 2; j >= 0; --j)
#pragma GCC unroll 4
        for (int i = 0; i < count; ++i) q[i] = q[i] * r[i] + scale.coefficients[j];
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i)
        values[i] = select<Real>(values[i] >= scale.lowest,
                                 scaled_power<Real>(rounded[i], q[i], r[i]),
                                 Vector<Real>{});
}

template <class Real>
SKDISTILL_INLINE Vector<Real> exponential(Vector<Real> d, const ExpScale<Real>& scale) {
    Vector<Real> values[] = {d};
    exponentials<Real>(values, scale);
    return values[0];
}

// x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
template <class Real>
struct Decomposed {
    Vector<Real> exponent;
    Vector<Real> f;
};

template <class Real>
SKDISTILL_INLINE Decomposed<Real> decompose(Vector<Real> x) {
    using C = Constants<Real>;
    const Vector<Real> half_root = broadcast(Real(0.70710678118654752));
    const Bits<Real> shifted_bits = (Bits<Real>)x - (Bits<Real>)half_root;
    // The exponent as a number: its bits below those of a power of two.
    const Mask<Real> e = (Mask<Real>)shifted_bits >> C::kMantissa;
    const Bits<Real> mantissa = (Bits<Real>)x - ((Bits<Real>)e << C::kMantissa);
    const Vector<Real> rounding = broadcast(C::kRound);
    const Vector<Real> exponent =
        (Vector<Real>)((Bits<Real>)e + (Bits<Real>)rounding) - rounding;
    return {exponent, (Vector<Real>)mantissa - Real(1)};
}

#if SKDISTILL_VECTOR_BYTES == 64
// 1/c and log(c) of a point c in each of the 32 intervals between the float of these
// bits, 0.74, and twice that. One of them reaches to both sides of 1 and has c = 1: near
// there the logarithm has to be as small as it is.
constexpr std::uint32_t kLogLowest = 0x3f3d5555;
alignas(64) static constexpr float kReciprocals[32] = {
    1.33797908f, 1.31058025f, 1.28428102f, 1.25901639f, 1.23472667f, 1.21135652f,
    1.18885458f, 1.16717327f, 1.14626873f, 1.12609971f, 1.1066283f, 1.08781874f,
    1.06963789f, 1.05205476f, 1.0350405f, 1.01856768f, 1.0f, 0.974619329f,
    0.945812821f, 0.918660343f, 0.893023312f, 0.868778288f, 0.845815003f, 0.824034333f,
    0.80334729f, 0.783673465f, 0.764940262f, 0.747081757f, 0.730038047f, 0.713754654f,
    0.698181808f, 0.683274031f};
alignas(64) static constexpr float kLogarithms[32] = {
    -0.291160315f, -0.270469993f, -0.25019905f, -0.23033078f, -0.210849628f,
    -0.191740826f, -0.172990307f, -0.15458481f, -0.136512086f, -0.118760072f,
    -0.101317823f, -0.0841745362f, -0.0673201755f, -0.0507451706f, -0.0344405547f,
    -0.0183974057f, 0.0f, 0.0257083159f, 0.0557105914f, 0.0848388225f, 0.113142595f,
    0.140667319f, 0.167454615f, 0.193543077f, 0.218968168f, 0.243762851f, 0.267957538f,
    0.291580647f, 0.314658642f, 0.33721599f, 0.359275728f, 0.380859286f};

SKDISTILL_INLINE Vector<float> of_step(const float (&table)[32], Bits<float> step) {
    return (Vector<float>)_mm512_permutex2var_ps(
        _mm512_load_ps(table), (__m512i)step, _mm512_load_ps(table + 16));
}

// log(2^e m) = e log(2) + log(c) + log(1 + f) with f = m / c - 1, |f| <= 2^-6.
SKDISTILL_INLINE Vector<float> logarithm(Vector<float> x) {
    const Bits<float> shifted = (Bits<float>)x - kLogLowest;
    const Mask<float> e = (Mask<float>)shifted >> 23;
    const Vector<float> m = (Vector<float>)((Bits<float>)x - ((Bits<float>)e << 23));
    const Bits<float> step = shifted >> 18;
    // Fused, whatever the compiler does elsewhere: the product must not be rounded.
    const Vector<float> f = (Vector<float>)_mm512_fmsub_ps(
        (__m512)m, (__m512)of_step(kReciprocals, step), (__m512)broadcast(1.0f));
    const Vector<float> tail = (f * -0.25f + 0.33333334f) * f - 0.5f;
    const Vector<float> log_c =
        __builtin_convertvector(e, Vector<float>) * 0.69314718f +
        of_step(kLogarithms, step);
    return log_c + (tail * (f * f) + f);
}
#else
// log(1 + f) = f - f^2/2 + f^3 P(f), |error of P f^3| <= 2^-30.3 |f|: no division,
// which costs as much as six products.
SKDISTILL_INLINE Vector<float> logarithm(Vector<float> x) {
    constexpr float p[] = {0.33333331346f,  -0.25000819564f, 0.20001238585f,
                           -0.16623401642f, 0.14201661944f,  -0.13159810007f,
                           0.12761677802f,  -0.07635118812f};
    const Decomposed<float> d = decompose<float>(x);
    const Vector<float> square = d.f * d.f;
    const Vector<float> tail = d.f * square * horner(p, d.f) +
                               d.exponent * Constants<float>::kLn2Low - 0.5f * square;
    return d.exponent * Constants<float>::kLn2High + (d.f + tail);
}
#endif

// With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R(s^2))).
SKDISTILL_INLINE Vector<double> logarithm(Vector<double> x) {
    constexpr double p[] = {0.66666666666667353815, 0.39999999999407491165,
                            0.28571428744140434676, 0.22222198378593262093,
                            0.18183575158726624805, 0.15313755947413265914,
                            0.14799064111627474208};
    const Decomposed<double> d = decompose<double>(x);
    const Vector<double> s = d.f / (2.0 + d.f);
    const Vector<double> square = s * s;
    const Vector<double> half = 0.5 * d.f * d.f;
    const Vector<double> tail = s * (half + square * horner(p, square)) +
                                d.exponent * Constants<double>::kLn2Low;
    return d.exponent * Constants<double>::kLn2High - ((half - tail) - d.f);
}
