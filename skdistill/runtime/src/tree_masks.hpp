// A masked tree for a block of rows.
//
// Included once per instruction set inside a namespace of its own, hence without a
// guard; SKDISTILL_VECTOR_BYTES is the width of vectors: rows of a lane of 1 byte each.

constexpr int kVectorBytes = SKDISTILL_VECTOR_BYTES;

typedef std::uint8_t Bytes __attribute__((vector_size(kVectorBytes)));
typedef std::uint8_t BytesMemory
    __attribute__((vector_size(kVectorBytes), aligned(1), may_alias));

SKDISTILL_INLINE Bytes load(const std::uint8_t* from) {
    return *reinterpret_cast<const BytesMemory*>(from);
}

SKDISTILL_INLINE void store(std::uint8_t* to, Bytes values) {
    *reinterpret_cast<BytesMemory*>(to) = values;
}

// Rows that reach a node: a bit or a byte of ones for each.
#if SKDISTILL_VECTOR_BYTES == 64
typedef std::uint64_t Rows;

SKDISTILL_INLINE Rows all_rows() { return ~Rows(0); }

SKDISTILL_INLINE Rows at_most(Rows reach, Bytes ranks, std::uint8_t rank) {
    return _mm512_mask_cmple_epu8_mask(reach, (__m512i)ranks,
                                       _mm512_set1_epi8(static_cast<char>(rank)));
}

SKDISTILL_INLINE Bytes add_where(Bytes numbers, Rows rows, std::uint8_t number) {
    return (Bytes)_mm512_mask_add_epi8((__m512i)numbers, rows, (__m512i)numbers,
                                       _mm512_set1_epi8(static_cast<char>(number)));
}

SKDISTILL_INLINE Rows rows_with_bit(Rows reach, Bytes bytes, Bytes bits) {
    return _mm512_mask_test_epi8_mask(reach, (__m512i)bytes, (__m512i)bits);
}
#else
typedef Bytes Rows;

SKDISTILL_INLINE Rows all_rows() { return ~Bytes{}; }

SKDISTILL_INLINE Rows at_most(Rows reach, Bytes ranks, std::uint8_t rank) {
    return reach & (Bytes)(ranks <= rank + Bytes{});
}

SKDISTILL_INLINE Bytes add_where(Bytes numbers, Rows rows, std::uint8_t number) {
    return numbers + (rows & (number + Bytes{}));
}

SKDISTILL_INLINE Rows rows_with_bit(Rows reach, Bytes bytes, Bytes bits) {
    return reach & (Bytes)((bytes & bits) != 0);
}
#endif

// The byte of a set of few levels that each row's category is in.
SKDISTILL_INLINE Bytes few_levels(const std::uint8_t* set, Bytes positions) {
#if SKDISTILL_VECTOR_BYTES == 64
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(set));
    return (Bytes)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), (__m512i)positions);
#elif SKDISTILL_VECTOR_BYTES == 32
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(set));
    return (Bytes)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table),
                                      (__m256i)positions);
#else
    Bytes bytes{};
    for (int row = 0; row < kVectorBytes; ++row) bytes[row] = set[positions[row]];
    return bytes;
#endif
}

SKDISTILL_INLINE Bytes many_levels(const std::uint8_t* set, const std::uint8_t* low,
                                        const std::uint8_t* high) {
    std::uint8_t bytes[kVectorBytes];
    for (int row = 0; row < kVectorBytes; ++row) bytes[row] = set[low[row] | high[row] << 8];
    return load(bytes);
}

template <bool categorical>
SKDISTILL_INLINE Rows goes_left(const Forest& forest, const Tree& tree,
                                     const MaskNode& node, const std::uint8_t* bins,
                                     Rows reach) {
    if constexpr (categorical) {
        if (node.kind != NodeKind::kNumber) {
            const std::uint8_t* set =
                forest.set(forest.mask_sets[tree.first_set + node.rank]);
            const Bytes bytes =
                node.kind == NodeKind::kFewLevels
                    ? few_levels(set, load(bins))
                    : many_levels(set, bins, bins + 2 * kBlockRows);
            return rows_with_bit(reach, bytes, load(bins + kBlockRows));
        }
    }
    return at_most(reach, load(bins), node.rank);
}

// The number of the leaf, in order, that each row of a block ends in. Several vectors
// of rows share what it takes to read a node.
template <int n_rows, bool categorical>
SKDISTILL_INLINE void find_leaves(const Forest& forest, const Tree& tree,
                                       const std::uint8_t* bins, std::uint8_t* leaves) {
    constexpr int kVectors = n_rows / kVectorBytes;
    Rows reach[kMaxMaskLeaves][kVectors];
    Bytes numbers[kVectors] = {};
    for (int v = 0; v < kVectors; ++v) reach[0][v] = all_rows();
    const MaskNode* nodes = forest.mask_nodes.data() + tree.first_node;
    for (int i = 0; i < tree.n_nodes; ++i) {
        const MaskNode node = nodes[i];
        const std::uint8_t* node_bins = bins + node.bin * kBlockRows;
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            const Rows here = reach[i][v];
            const Rows left = goes_left<categorical>(
                forest, tree, node, node_bins + v * kVectorBytes, here);
            const Rows right = here & ~left;
            reach[node.left][v] = left;
            reach[node.right][v] = right;
            numbers[v] = add_where(numbers[v], right, node.right_leaf);
        }
    }
    for (int v = 0; v < kVectors; ++v) store(leaves + v * kVectorBytes, numbers[v]);
}

#if SKDISTILL_VECTOR_BYTES == 64
// Look up 8 of up to 16 * n_tables numbers, in registers: gathers are slower.
template <int n_tables>
SKDISTILL_INLINE __m512d look_up(const double* values, __m512i at) {
    if constexpr (n_tables == 1) {
        return _mm512_permutex2var_pd(_mm512_loadu_pd(values), at,
                                      _mm512_loadu_pd(values + 8));
    } else {
        constexpr int half = n_tables / 2;
        const __mmask8 high = _mm512_test_epi64_mask(at, _mm512_set1_epi64(16 * half));
        return _mm512_mask_blend_pd(high, look_up<half>(values, at),
                                    look_up<half>(values + 16 * half, at));
    }
}

template <int n_rows, int n_tables>
SKDISTILL_INLINE void add_looked_up(const double* values, const std::uint8_t* leaves,
                                         double* sums) {
    for (int row = 0; row < n_rows; row += 8) {
        const __m512i at = _mm512_cvtepu8_epi64(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(leaves + row)));
        _mm512_storeu_pd(sums + row, _mm512_add_pd(_mm512_loadu_pd(sums + row),
                                                   look_up<n_tables>(values, at)));
    }
}
#endif

// Add the values of leaves to the sums of a block.
template <int n_rows>
SKDISTILL_INLINE void add_single_values(const double* values, int n_leaves,
                                             const std::uint8_t* leaves, double* sums) {
#if SKDISTILL_VECTOR_BYTES == 64
    if (n_leaves <= 16) return add_looked_up<n_rows, 1>(values, leaves, sums);
    if (n_leaves <= 32) return add_looked_up<n_rows, 2>(values, leaves, sums);
    if (n_leaves <= 64) return add_looked_up<n_rows, 4>(values, leaves, sums);
    if (n_leaves <= 128) return add_looked_up<n_rows, 8>(values, leaves, sums);
#endif
#pragma GCC unroll 8
    for (int row = 0; row < n_rows; ++row) sums[row] += values[leaves[row]];
}

template <int n_rows>
SKDISTILL_INLINE void mask_rows(const Forest& forest, const Tree& tree,
                                     const std::uint8_t* bins, double* sums) {
    alignas(64) std::uint8_t leaves[n_rows];
    if (tree.categorical)
        find_leaves<n_rows, true>(forest, tree, bins, leaves);
    else
        find_leaves<n_rows, false>(forest, tree, bins, leaves);
    const std::int64_t width = forest.leaf_width;
    const double* values = forest.mask_leaves.data() + tree.first_leaf * width;
    sums += tree.output * kBlockRows;
    if (width == 1)
        return add_single_values<n_rows>(values, tree.n_nodes + 1, leaves, sums);
    for (int row = 0; row < n_rows; ++row)
        for (std::int64_t k = 0; k < width; ++k)
            sums[k * kBlockRows + row] += values[leaves[row] * width + k];
}

// Add a tree to the sums of the first rows of a block, or some more of them; those of
// an output lie side by side.
static void mask_tree(const Forest& forest, const Tree& tree, int n_rows,
                      const std::uint8_t* bins, double* sums) {
    if (n_rows <= kVectorBytes)
        mask_rows<kVectorBytes>(forest, tree, bins, sums);
    else
        mask_rows<kBlockRows>(forest, tree, bins, sums);
}
