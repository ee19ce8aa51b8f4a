// Vectors of one instruction set: types, moves and reductions.
//
// Included once per instruction set inside a namespace of its own, hence without
// a guard; SKDISTILL_VECTOR_BYTES is the width. Everything is forced inline:
// a wide vector must not cross a call, whose convention depends on the target.

constexpr int kBytes = SKDISTILL_VECTOR_BYTES;
// Unit of the transpositions: what all instruction sets shuffle alike.
constexpr int kPieceBytes = 16;

template <class Real>
struct Types;

template <>
struct Types<float> {
    typedef float Value __attribute__((vector_size(kBytes)));
    typedef float Memory __attribute__((vector_size(kBytes), aligned(4), may_alias));
    typedef std::int32_t Integer __attribute__((vector_size(kBytes)));
    typedef std::uint32_t Bits __attribute__((vector_size(kBytes)));
    typedef float Piece __attribute__((vector_size(kPieceBytes)));
    typedef float PieceMemory
        __attribute__((vector_size(kPieceBytes), aligned(4), may_alias));
    typedef std::int32_t Index;
};

template <>
struct Types<double> {
    typedef double Value __attribute__((vector_size(kBytes)));
    typedef double Memory __attribute__((vector_size(kBytes), aligned(8), may_alias));
    typedef std::int64_t Integer __attribute__((vector_size(kBytes)));
    typedef std::uint64_t Bits __attribute__((vector_size(kBytes)));
    typedef double Piece __attribute__((vector_size(kPieceBytes)));
    typedef double PieceMemory
        __attribute__((vector_size(kPieceBytes), aligned(8), may_alias));
    typedef std::int64_t Index;
};

typedef std::int64_t LabelMemory
    __attribute__((vector_size(kBytes), aligned(8), may_alias));

template <class Real>
using Vector = typename Types<Real>::Value;
template <class Real>
using Mask = typename Types<Real>::Integer;
template <class Real>
using Bits = typename Types<Real>::Bits;

// Numbers per vector, and per piece.
template <class Real>
constexpr int kLanes = kBytes / static_cast<int>(sizeof(Real));
template <class Real>
constexpr int kPieceLanes = kPieceBytes / static_cast<int>(sizeof(Real));

template <class Real>
SKDISTILL_INLINE Vector<Real> load(const Real* from) {
    return *reinterpret_cast<const typename Types<Real>::Memory*>(from);
}

template <class Real>
SKDISTILL_INLINE void store(Real* to, Vector<Real> values) {
    *reinterpret_cast<typename Types<Real>::Memory*>(to) = values;
}

template <class Real>
SKDISTILL_INLINE Vector<Real> broadcast(Real value) {
    return value - Vector<Real>{};  // not `+`: it would lose the sign of -0
}

template <class Real>
SKDISTILL_INLINE Vector<Real> select(Mask<Real> mask, Vector<Real> yes,
                                     Vector<Real> no) {
    return mask ? yes : no;
}

template <class Real>
SKDISTILL_INLINE Vector<Real> larger(Vector<Real> a, Vector<Real> b) {
    return a > b ? a : b;
}

template <class Real>
SKDISTILL_INLINE Vector<Real> magnitude(Vector<Real> values) {
    return (Vector<Real>)((Bits<Real>)values & ~(Bits<Real>)broadcast<Real>(Real(-0.0)));
}

// False for infinities and NaN.
template <class Real>
SKDISTILL_INLINE Mask<Real> is_finite(Vector<Real> values) {
    return magnitude<Real>(values) <= broadcast(std::numeric_limits<Real>::max());
}

template <class Real>
SKDISTILL_INLINE bool all(Mask<Real> mask) {
    std::uint64_t words[kBytes / 8];
    __builtin_memcpy(words, &mask, sizeof mask);
    std::uint64_t common = ~std::uint64_t(0);
    for (std::uint64_t word : words) common &= word;
    return common == ~std::uint64_t(0);
}

template <class Real, std::size_t... lane>
SKDISTILL_INLINE Mask<Real> lane_numbers(std::index_sequence<lane...>) {
    return Mask<Real>{static_cast<typename Types<Real>::Index>(lane)...};
}

template <class Real>
SKDISTILL_INLINE typename Types<Real>::Index class_number(std::int64_t k) {
    return static_cast<typename Types<Real>::Index>(k);
}

// True from lane `first` on.
template <class Real>
SKDISTILL_INLINE Mask<Real> lanes_from(std::int64_t first) {
    using Index = typename Types<Real>::Index;
    return lane_numbers<Real>(std::make_index_sequence<kLanes<Real>>{}) >=
           static_cast<Index>(first) + Mask<Real>{};
}

// Lanes of a and b are numbered through; `pick` numbers those of the result.
template <class Value, int... pick>
SKDISTILL_INLINE auto shuffle(Value a, Value b, std::integer_sequence<int, pick...>) {
    return __builtin_shufflevector(a, b, pick...);
}

template <int start, int... lane>
constexpr auto count_from(std::integer_sequence<int, lane...>) {
    return std::integer_sequence<int, (start + lane)...>{};
}

// `count` neighbouring lanes of a followed by b, from lane `start` on.
template <int start, int count, class Value>
SKDISTILL_INLINE auto lanes_of(Value a, Value b) {
    return shuffle(a, b, count_from<start>(std::make_integer_sequence<int, count>{}));
}

// a followed by b, as one vector of twice the width.
template <class Value>
SKDISTILL_INLINE auto join(Value a, Value b) {
    constexpr int lanes = sizeof(a) / sizeof(a[0]);
#ifdef SKDISTILL_X86
    typedef decltype(lanes_of<0, 2 * lanes>(a, b)) Wide;
    // As a shuffle GCC makes it three instructions instead of one.
    if constexpr (sizeof(a) == 16)
        return (Wide)_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)a), (__m128)b,
                                          1);
    else
        return (Wide)_mm512_insertf32x8(_mm512_castps256_ps512((__m256)a), (__m256)b, 1);
#else
    return lanes_of<0, 2 * lanes>(a, b);
#endif
}

template <class Value>
SKDISTILL_INLINE auto sum_lanes(Value values) {
    constexpr int lanes = sizeof(values) / sizeof(values[0]);
    if constexpr (lanes == 2) {
        return values[0] + values[1];
    } else {
        return sum_lanes(lanes_of<0, lanes / 2>(values, values) +
                         lanes_of<lanes / 2, lanes / 2>(values, values));
    }
}

template <class Value>
SKDISTILL_INLINE auto largest_lane(Value values) {
    constexpr int lanes = sizeof(values) / sizeof(values[0]);
    if constexpr (lanes == 2) {
        return values[0] > values[1] ? values[0] : values[1];
    } else {
        const auto low = lanes_of<0, lanes / 2>(values, values);
        const auto high = lanes_of<lanes / 2, lanes / 2>(values, values);
        return largest_lane(low > high ? low : high);
    }
}

// One vector of `Real` as doubles, the unit in which losses are added up.
template <class Real>
struct Doubles {
    static constexpr int kParts = sizeof(double) / sizeof(Real);
    Vector<double> part[kParts];
};

SKDISTILL_INLINE Doubles<double> to_doubles(Vector<double> values, double) {
    return {{values}};
}

SKDISTILL_INLINE Doubles<float> to_doubles(Vector<float> values, float) {
    constexpr int half = kLanes<float> / 2;
    return {{__builtin_convertvector(lanes_of<0, half>(values, values), Vector<double>),
             __builtin_convertvector(lanes_of<half, half>(values, values),
                                     Vector<double>)}};
}

SKDISTILL_INLINE Vector<double> from_doubles(const Doubles<double>& values) {
    return values.part[0];
}

SKDISTILL_INLINE Vector<float> from_doubles(const Doubles<float>& values) {
    typedef float Half __attribute__((vector_size(kBytes / 2)));
    return lanes_of<0, kLanes<float>>(__builtin_convertvector(values.part[0], Half),
                                      __builtin_convertvector(values.part[1], Half));
}

template <class Real>
SKDISTILL_INLINE double sum_doubles(const Doubles<Real>& values) {
    Vector<double> sum = values.part[0];
    for (int i = 1; i < Doubles<Real>::kParts; ++i) sum += values.part[i];
    return sum_lanes(sum);
}
