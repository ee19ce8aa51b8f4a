// From log-odds to what is wanted of rows.

template <class Out>
SKDISTILL_INLINE void write_log_odds(const Packed& packed, const float* units,
                                     std::int64_t stride, int n_rows, Out* out) {
    const int n_classes = packed.n_classes, spare = n_classes - packed.n_outputs;
    for (int r = 0; r < n_rows; ++r) {
        if (spare) out[r * n_classes] = 0;
        for (int k = 0; k < packed.n_outputs; ++k)
            out[r * n_classes + spare + k] = static_cast<Out>(units[r * stride + k]);
    }
}

// exp of numbers that are not positive, in whole vectors; NaN stays NaN.
SKDISTILL_INLINE void exponentials_of(double* numbers, std::int64_t n) {
    const ExpScale<double> scale(1.0);
    for (std::int64_t i = 0; i < n; i += kLanes<double>) {
        const Vector<double> number = load(numbers + i);
        const Vector<double> power = exponential<double>(number, scale);
        store(numbers + i, select<double>(number == number, power, number));
    }
}

// With e = exp(-|z|) they are e / (1 + e) and 1 / (1 + e): the smaller one is as
// exact as the larger.
template <class Out>
SKDISTILL_OUTLINE void write_binary(const float* units, std::int64_t stride, int n_rows,
                                    double* exponents, Out* out) {
    for (int r = 0; r < n_rows; ++r)
        exponents[r] = -__builtin_fabs(static_cast<double>(units[r * stride]));
    for (int r = n_rows; r % kLanes<double>; ++r) exponents[r] = 0;
    exponentials_of(exponents, n_rows);
    for (int r = 0; r < n_rows; ++r) {
        const double larger = 1 / (1 + exponents[r]), smaller = exponents[r] * larger;
        const bool second = units[r * stride] > 0;
        out[2 * r] = static_cast<Out>(second ? smaller : larger);
        out[2 * r + 1] = static_cast<Out>(second ? larger : smaller);
    }
}

template <class Out>
SKDISTILL_OUTLINE void write_softmax(int n_classes, const float* units,
                                     std::int64_t stride, int n_rows, double* exponents,
                                     Out* out) {
    const std::int64_t n = static_cast<std::int64_t>(n_rows) * n_classes;
    for (int r = 0; r < n_rows; ++r) {
        const float* z = units + r * stride;
        float largest = z[0];
        for (int k = 1; k < n_classes; ++k) largest = z[k] > largest ? z[k] : largest;
        for (int k = 0; k < n_classes; ++k)
            exponents[r * n_classes + k] =
                static_cast<double>(z[k]) - static_cast<double>(largest);
    }
    for (std::int64_t i = n; i % kLanes<double>; ++i) exponents[i] = 0;
    exponentials_of(exponents, n);
    for (int r = 0; r < n_rows; ++r) {
        const double* e = exponents + r * n_classes;
        double sum = 0;
        for (int k = 0; k < n_classes; ++k) sum += e[k];
        const double share = 1 / sum;
        for (int k = 0; k < n_classes; ++k)
            out[r * n_classes + k] = static_cast<Out>(e[k] * share);
    }
}

template <class Out>
SKDISTILL_INLINE void write_probabilities(const Packed& packed, const float* units,
                                          std::int64_t stride, int n_rows,
                                          double* exponents, Out* out) {
    if (packed.is_binary)
        write_binary(units, stride, n_rows, exponents, out);
    else
        write_softmax(packed.n_classes, units, stride, n_rows, exponents, out);
}
