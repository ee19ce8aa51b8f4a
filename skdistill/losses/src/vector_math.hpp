// exp and log of vectors.
//
// Errors, in units in the last place, for float and double, with or without fused
// products and sums (which the results may therefore depend on, their bounds not):
//     exp(x) for x <= 0:                   below 2; 0 from kExpLowest down, where
//                                          exp falls to the smallest normal number,
//                                          and for NaN
//     log(x) for positive normal numbers:  below 2
// Measured over all floats: exp 1.35 without and 1.06 with fusing, log 0.83; over
// some million doubles: 1.19, 0.92 and 0.85. The tests keep to the bounds.

template <class Real>
struct Constants;

// exp(r) = 1 + r Q(r) for |r| <= log(2)/2, minimising the relative error:
// 2^-28.9 (float), 2^-57.9 (double); log(1 + f) as described at each `log`.
template <>
struct Constants<float> {
    static constexpr int kMantissa = 23;
    static constexpr float kRound = 12582912.0f;     // 1.5 * 2^23: adding it rounds
    static constexpr float kLog2E = 1.44269504f;
    static constexpr float kLn2High = 0.693359375f;  // 10 bits: n * kLn2High is exact
    static constexpr float kLn2Low = -2.12194440e-4f;
    static constexpr float kExpLowest = -87.3365f;
    static constexpr float kExp[] = {1.0f,
                                     0.49999994191430606f,
                                     0.16666430800579472f,
                                     0.04166800476899859f,
                                     0.00837419561991762f,
                                     0.00138436046542603f};
};

template <>
struct Constants<double> {
    static constexpr int kMantissa = 52;
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

// A factor of the argument of exp, with its product that the rounding needs.
template <class Real>
struct ExpScale {
    explicit ExpScale(double value)
        : factor(static_cast<Real>(value)),
          factor_log2e(static_cast<Real>(value * Constants<double>::kLog2E)) {}
    Real factor;
    Real factor_log2e;
};

// exp(d * factor). x = d * factor = n log(2) + r, and exp(x) = 2^n exp(r) with n
// added to the exponent's bits. n comes from d, not from x, so as not to wait for x.
template <class Real>
SKDISTILL_INLINE Vector<Real> exponential(Vector<Real> d, const ExpScale<Real>& scale) {
    using C = Constants<Real>;
    const Vector<Real> rounded = d * scale.factor_log2e + C::kRound;
    const Vector<Real> n = rounded - C::kRound;
    const Vector<Real> x = d * scale.factor;
    const Vector<Real> r = (x - n * C::kLn2High) - n * C::kLn2Low;
    const Vector<Real> mantissa = horner(C::kExp, r) * r + Real(1);
    const Bits<Real> result =
        (Bits<Real>)mantissa + ((Bits<Real>)rounded << C::kMantissa);
    return select<Real>(x >= C::kExpLowest, (Vector<Real>)result, Vector<Real>{});
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

// log(1 + f) = f - f^2/2 + f^3 P(f), |error of P f^3| <= 2^-30.3 |f|: no division,
// which costs as much as six products.
SKDISTILL_INLINE Vector<float> logarithm(Vector<float> x) {
    constexpr float p[] = {0.33333310447493731f,  -0.24999986600112903f,
                           0.20002226167198303f,  -0.16669250451626203f,
                           0.14218665986221988f,  -0.12384359500769196f,
                           0.11872933339327166f,  -0.11789728696494771f,
                           0.069153646011961596f};
    const Decomposed<float> d = decompose<float>(x);
    const Vector<float> square = d.f * d.f;
    const Vector<float> tail = d.f * square * horner(p, d.f) +
                               d.exponent * Constants<float>::kLn2Low - 0.5f * square;
    return d.exponent * Constants<float>::kLn2High + (d.f + tail);
}

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
