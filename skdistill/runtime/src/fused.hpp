// Products and sums rounded once where the instruction set can: written out, because
// a compiler that fuses them in one path and not in another changes the last bit.

SKDISTILL_INLINE Vector<float> fused(Vector<float> a, Vector<float> b, Vector<float> c) {
#if SKDISTILL_VECTOR_BYTES == 64
    return (Vector<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif SKDISTILL_VECTOR_BYTES == 32
    return (Vector<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

SKDISTILL_INLINE float fused(float a, float b, float c) {
#if SKDISTILL_VECTOR_BYTES > 16
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

// A logical vector of 16 numbers, which all instruction sets add up alike.
constexpr int kParts = 16 / kLanes<float>;
struct Sixteen {
    Vector<float> part[kParts];
};

SKDISTILL_INLINE float sum(const Sixteen& numbers) {
    if constexpr (kParts == 1)
        return sum_lanes(numbers.part[0]);
    else if constexpr (kParts == 2)
        return sum_lanes(numbers.part[0] + numbers.part[1]);
    else
        return sum_lanes((numbers.part[0] + numbers.part[2]) +
                         (numbers.part[1] + numbers.part[3]));
}

// NaN stays NaN.
template <class Value>
SKDISTILL_INLINE Value clipped(Value value, Value low, Value high) {
    value = low > value ? low : value;
    return high < value ? high : value;
}
