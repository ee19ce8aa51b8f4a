// Transposed access to a block of rows: vectors that hold one column of as many
// rows as they have lanes.
//
// A block of contiguous rows is read in pieces of 16 bytes, 4 floats or 2 doubles
// of one row, which are put side by side and then transposed within 16 bytes.
// Gathers would do the same several times slower on many machines.

// The permutation `pick` of 16-byte pieces of a (0..) and b (piece lanes..),
// repeated in every piece.
template <int lanes, int piece, int... pick, int... lane>
constexpr auto in_every_piece(std::integer_sequence<int, pick...>,
                              std::integer_sequence<int, lane...>) {
    constexpr int picks[] = {pick...};
    return std::integer_sequence<
        int, (lane / piece * piece + picks[lane % piece] % piece +
              (picks[lane % piece] >= piece ? lanes : 0))...>{};
}

template <class Real, int... pick>
SKDISTILL_INLINE Vector<Real> mix(Vector<Real> a, Vector<Real> b) {
    constexpr int lanes = kLanes<Real>;
    return shuffle(a, b,
                   in_every_piece<lanes, kPieceLanes<Real>>(
                       std::integer_sequence<int, pick...>{},
                       std::make_integer_sequence<int, lanes>{}));
}

SKDISTILL_INLINE void transpose_pieces(Vector<double> (&v)[2]) {
    const Vector<double> a = v[0];
    v[0] = mix<double, 0, 2>(a, v[1]);
    v[1] = mix<double, 1, 3>(a, v[1]);
}

SKDISTILL_INLINE void transpose_pieces(Vector<float> (&v)[4]) {
    const Vector<float> a = mix<float, 0, 4, 1, 5>(v[0], v[1]);
    const Vector<float> b = mix<float, 0, 4, 1, 5>(v[2], v[3]);
    const Vector<float> c = mix<float, 2, 6, 3, 7>(v[0], v[1]);
    const Vector<float> d = mix<float, 2, 6, 3, 7>(v[2], v[3]);
    v[0] = mix<float, 0, 1, 4, 5>(a, b);
    v[1] = mix<float, 2, 3, 6, 7>(a, b);
    v[2] = mix<float, 0, 1, 4, 5>(c, d);
    v[3] = mix<float, 2, 3, 6, 7>(c, d);
}

// `count` pieces that lie `stride` numbers apart, side by side.
template <class Real, int count = kBytes / kPieceBytes>
SKDISTILL_INLINE auto load_pieces(const Real* from, std::int64_t stride) {
    if constexpr (count == 1) {
        using Memory = typename Types<Real>::PieceMemory;
        const typename Types<Real>::Piece piece = *reinterpret_cast<const Memory*>(from);
        return piece;
    } else {
        const auto low = load_pieces<Real, count / 2>(from, stride);
        const auto high =
            load_pieces<Real, count / 2>(from + count / 2 * stride, stride);
        return join(low, high);
    }
}

template <class Real, int piece = 0>
SKDISTILL_INLINE void store_pieces(Real* to, std::int64_t stride, Vector<Real> values) {
    constexpr int lanes = kPieceLanes<Real>;
    using Memory = typename Types<Real>::PieceMemory;
    *reinterpret_cast<Memory*>(to) = lanes_of<piece * lanes, lanes>(values, values);
    if constexpr (piece + 1 < kBytes / kPieceBytes)
        store_pieces<Real, piece + 1>(to + stride, stride, values);
}

// Columns of a tile: neighbouring columns of kLanes rows.
template <class Real>
SKDISTILL_INLINE void load_tile(const Real* from, std::int64_t n_classes,
                                Vector<Real> (&columns)[kPieceLanes<Real>]) {
    constexpr int width = kPieceLanes<Real>;
#pragma GCC unroll 4
    for (int i = 0; i < width; ++i)
        columns[i] = load_pieces<Real>(from + i * n_classes, width * n_classes);
    transpose_pieces(columns);
}

template <class Real>
SKDISTILL_INLINE void store_tile(Real* to, std::int64_t n_classes,
                                 Vector<Real> (&columns)[kPieceLanes<Real>]) {
    constexpr int width = kPieceLanes<Real>;
    transpose_pieces(columns);
#pragma GCC unroll 4
    for (int i = 0; i < width; ++i)
        store_pieces<Real>(to + i * n_classes, width * n_classes, columns[i]);
}

// Two or three columns are fewer than a piece: whole vectors are read and sorted.
// Number `lane` of column c is number lane * width + c of the block.
template <int width, int column, int lanes, int step, int... lane>
constexpr auto deinterleaved(std::integer_sequence<int, lane...>) {
    // Step 0 picks from vectors 0 and 1, step 1 completes from vector 2.
    return std::integer_sequence<
        int, (step == 0 ? (lane * width + column) % (2 * lanes)
                        : (lane * width + column < 2 * lanes
                               ? lane
                               : lane * width + column - lanes))...>{};
}

template <int width, int vector, int lanes, int step, int... lane>
constexpr auto interleaved(std::integer_sequence<int, lane...>) {
    // Step 0 picks from columns 0 and 1, step 1 completes from column 2.
    return std::integer_sequence<
        int, (step == 0
                  ? (vector * lanes + lane) / width +
                        ((vector * lanes + lane) % width == 1 ? lanes : 0)
                  : ((vector * lanes + lane) % width < 2
                         ? lane
                         : lanes + (vector * lanes + lane) / width))...>{};
}

template <class Real, int width, int column>
SKDISTILL_INLINE Vector<Real> pick_column(const Vector<Real> (&v)[width]) {
    constexpr int lanes = kLanes<Real>;
    constexpr auto all_lanes = std::make_integer_sequence<int, lanes>{};
    const Vector<Real> part =
        shuffle(v[0], v[1], deinterleaved<width, column, lanes, 0>(all_lanes));
    if constexpr (width == 2)
        return part;
    else
        return shuffle(part, v[2], deinterleaved<width, column, lanes, 1>(all_lanes));
}

template <class Real, int width, int vector>
SKDISTILL_INLINE void store_interleaved(Real* to, const Vector<Real> (&columns)[width]) {
    constexpr int lanes = kLanes<Real>;
    constexpr auto all_lanes = std::make_integer_sequence<int, lanes>{};
    Vector<Real> part =
        shuffle(columns[0], columns[1], interleaved<width, vector, lanes, 0>(all_lanes));
    if constexpr (width == 3)
        part = shuffle(part, columns[2],
                       interleaved<width, vector, lanes, 1>(all_lanes));
    store(to + vector * lanes, part);
}

template <class Real, int width>
SKDISTILL_INLINE void load_columns(const Real* from, Vector<Real> (&columns)[width]) {
    Vector<Real> v[width];
#pragma GCC unroll 3
    for (int i = 0; i < width; ++i) v[i] = load(from + i * kLanes<Real>);
    columns[0] = pick_column<Real, width, 0>(v);
    columns[1] = pick_column<Real, width, 1>(v);
    if constexpr (width == 3) columns[2] = pick_column<Real, width, 2>(v);
}

template <class Real, int width>
SKDISTILL_INLINE void store_columns(Real* to, const Vector<Real> (&columns)[width]) {
    store_interleaved<Real, width, 0>(to, columns);
    store_interleaved<Real, width, 1>(to, columns);
    if constexpr (width == 3) store_interleaved<Real, width, 2>(to, columns);
}
