import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skdistill.runtime import (
    CategoryColumn,
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
    TreeEnsembleSpec,
)

kernels = pytest.importorskip("skdistill.runtime._tree_kernel")

SIZES = [0, 1, 2, 11, 12, 63, 64, 65, 75, 76, 127, 512, 513, 1100]

every_set = pytest.mark.parametrize("name", kernels.INSTRUCTION_SETS)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


shapes = st.fixed_dictionaries(
    {
        "n_columns": st.integers(1, 6),
        "n_trees": st.integers(0, 20),
        "n_nodes": st.sampled_from([0, 1, 5, 15, 16, 40, 255, 256, 600]),
        "n_distinct": st.sampled_from([1, 15, 49, 300, 900]),
        "categorical": st.booleans(),
        "shared": st.booleans(),
        "missing": st.sampled_from(["any", "none", "all", "zero"]),
    }
)
outputs = st.sampled_from(
    [
        {"n_outputs": 1},
        {"n_outputs": 4},
        {"n_outputs": 3, "leaf_width": 3},
        {"n_outputs": 4, "leaf_width": 2},
        {"n_outputs": 2, "leaf_width": 2, "probabilities": True},
    ]
)


@every_set
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=shapes,
    output=outputs,
    n_rows=st.sampled_from(SIZES),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_log_odds_are_those_of_numpy_bit_by_bit(
    random_trees, random_rows, name, seed, shape, output, n_rows, dtype
):
    spec = random_trees(seed, **shape, **output)
    rows = random_rows(spec, n_rows, dtype, seed)
    found = kernels.TreeKernel(spec, name).log_odds(rows)
    assert found.dtype == np.float64
    assert found.shape == (n_rows, len(spec.classes))
    if spec.averages:  # the logarithm may differ by a bit
        np.testing.assert_allclose(found, spec.log_odds(rows), rtol=1e-15, atol=1e-15)
    else:
        np.testing.assert_array_equal(found, spec.log_odds(rows))


@every_set
@every_dtype
@pytest.mark.parametrize("n_distinct", [254, 255, 256, 257, 511, 3000])
@pytest.mark.parametrize("missing", ["any", "zero"])
def test_columns_of_many_thresholds(
    random_trees, random_rows, name, dtype, n_distinct, missing
):
    spec = random_trees(
        n_distinct,
        n_columns=1,
        n_trees=90,
        n_nodes=120,
        n_distinct=n_distinct,
        missing=missing,
    )
    rows = random_rows(spec, 1000, dtype)
    found = kernels.TreeKernel(spec, name).log_odds(rows)
    np.testing.assert_array_equal(found, spec.log_odds(rows))


@every_set
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_probabilities_are_those_of_numpy(random_trees, random_rows, name, n_outputs):
    spec = random_trees(0, n_trees=30, n_outputs=n_outputs, categorical=True)
    kernel = kernels.TreeKernel(spec, name)
    for n_rows in SIZES:
        rows = random_rows(spec, n_rows, np.float64)
        np.testing.assert_allclose(
            kernel.probabilities(rows), spec.probabilities(rows), rtol=0, atol=4e-16
        )


@every_set
@every_dtype
def test_a_row_has_the_same_bits_however_it_is_scored(
    random_trees, random_rows, name, dtype
):
    spec = random_trees(1, n_trees=40, n_nodes=300, n_outputs=3, categorical=True)
    rows = random_rows(spec, 1300, dtype)
    kernel = kernels.TreeKernel(spec, name)
    expected = kernel.probabilities(rows)
    for n_threads in (2, 3, 8):
        np.testing.assert_array_equal(kernel.probabilities(rows, n_threads), expected)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(kernel.probabilities, [rows] * 16):
            np.testing.assert_array_equal(found, expected)
    for step in (1, 5, 13, 64):
        parts = [kernel.probabilities(rows[i : i + step]) for i in range(0, 130, step)]
        np.testing.assert_array_equal(np.concatenate(parts)[:130], expected[:130])


def test_every_instruction_set_has_the_same_bits(random_trees, random_rows):
    spec = random_trees(2, n_trees=40, n_nodes=100, n_outputs=3, categorical=True)
    rows = random_rows(spec, 700, np.float32)
    results = [
        kernels.TreeKernel(spec, name).probabilities(rows)
        for name in kernels.INSTRUCTION_SETS
    ]
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_the_fastest_instruction_set_is_the_default(random_trees):
    kernel = kernels.TreeKernel(random_trees(0))
    assert kernel.instruction_set == kernels.INSTRUCTION_SETS[-1]
    assert kernels.INSTRUCTION_SETS[0] == "portable"


@every_set
def test_more_columns_than_fit_on_the_stack(random_trees, random_rows, name):
    spec = random_trees(3, n_columns=3000, n_trees=60, n_nodes=80)
    kernel = kernels.TreeKernel(spec, name)
    for n_rows in (1, 5, 100):
        rows = random_rows(spec, n_rows, np.float32)
        np.testing.assert_array_equal(kernel.log_odds(rows), spec.log_odds(rows))


@every_set
def test_more_columns_than_a_node_can_number(random_trees, name):
    spec = random_trees(5, n_columns=70_000, n_trees=1100, n_nodes=250)
    rows = np.random.default_rng(0).normal(size=(150, 70_000)).astype(np.float32)
    found = kernels.TreeKernel(spec, name).log_odds(rows)
    np.testing.assert_array_equal(found, spec.log_odds(rows))


@every_set
def test_nodes_that_are_shared_without_end_are_not_unfolded(name):
    # As a tree it has 2 ** 200 leaves.
    children = np.stack([np.arange(1, 201)] * 2, axis=1).astype(np.int32)
    children[-1] = [-1, -2]
    spec = ModelSpec(
        TreeEnsembleSpec(
            columns=(NumberColumn("x", 0.0, 1.0),),
            base=np.zeros(1),
            roots=np.array([0, -2, 150], np.int32),
            outputs=np.zeros(3, np.int32),
            features=np.zeros(200, np.int32),
            thresholds=np.linspace(0, 1, 200),
            missing_left=np.zeros(200, bool),
            sets=np.full(200, -1, np.int32),
            children=children,
            leaves=np.array([[1.0], [2.0]]),
            level_sets=np.empty((0, 0), np.uint32),
            probabilities=False,
        ),
        np.arange(2),
    )
    rows = np.random.default_rng(0).random((100, 1))
    found = kernels.TreeKernel(spec, name).log_odds(rows)
    np.testing.assert_array_equal(found, spec.log_odds(rows))


@every_set
@pytest.mark.parametrize("n_levels", [300, 2**19 - 2, 2**19 + 100])
def test_columns_of_many_levels(name, n_levels):
    level_sets = np.zeros((2, -(-(n_levels + 2) // 32)), np.uint32)
    level_sets[0, ::2], level_sets[1, -1] = 0xF0F0F0F0, 0xFFFFFFFF
    spec = ModelSpec(
        TreeEnsembleSpec(
            columns=(CategoryColumn("x", tuple(map(str, range(n_levels)))),),
            base=np.zeros(1),
            roots=np.array([0], np.int32),
            outputs=np.zeros(1, np.int32),
            features=np.zeros(2, np.int32),
            thresholds=np.zeros(2),
            missing_left=np.zeros(2, bool),
            sets=np.arange(2, dtype=np.int32),
            children=np.array([[1, -1], [-2, -3]], np.int32),
            leaves=np.array([[1.0], [2.0], [4.0]]),
            level_sets=level_sets,
            probabilities=False,
        ),
        np.arange(2),
    )
    codes = [*range(-2, 200), *range(n_levels - 200, n_levels + 2), np.nan]
    rows = np.array(codes, dtype=np.float64)[:, None]
    found = kernels.TreeKernel(spec, name).log_odds(rows)
    np.testing.assert_array_equal(found, spec.log_odds(rows))
    assert len(np.unique(found[:, 1])) > 1


@every_set
def test_without_trees_there_is_the_base(random_trees, name):
    spec = random_trees(0, n_trees=0, n_outputs=3)
    found = kernels.TreeKernel(spec, name).log_odds(np.zeros((70, 3)))
    np.testing.assert_array_equal(found, np.tile(spec.predictor.base, (70, 1)))


def test_a_kernel_can_be_copied(random_trees, random_rows):
    spec = random_trees(4)
    kernel = kernels.TreeKernel(spec, "portable")
    rows = random_rows(spec, 80, np.float64)
    copy = pickle.loads(pickle.dumps(kernel))
    np.testing.assert_array_equal(copy.log_odds(rows), kernel.log_odds(rows))


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((4, 2)),
        np.zeros((4, 4)),
        np.zeros(3),
        np.zeros((1, 4, 3)),
        np.zeros((4, 3), np.int64),
        np.zeros((4, 3), np.float16),
        np.zeros((4, 3), ">f8"),
        np.zeros((4, 3), np.complex128),
        np.zeros((4, 3), np.longdouble),
        np.zeros((4, 6))[:, ::2],
        np.zeros((3, 4)).T,
        np.zeros((4, 3), object),
    ],
    ids=lambda X: f"{X.dtype} {X.shape} {X.strides}",
)
def test_other_arrays_are_refused(random_trees, X):
    kernel = kernels.TreeKernel(random_trees(0))
    for method in (kernel.log_odds, kernel.probabilities):
        with pytest.raises(
            ValueError, match=r"Got an array of .* but expected .*, 3\)"
        ):
            method(X)


@pytest.mark.parametrize("X", [None, 3, "rows", [[1.0, 2.0, 3.0]]])
def test_what_is_no_array_is_refused(random_trees, X):
    with pytest.raises(TypeError, match="but expected"):
        kernels.TreeKernel(random_trees(0)).log_odds(X)


@pytest.mark.parametrize("n_threads", [0, -1])
def test_there_is_at_least_one_thread(random_trees, n_threads):
    with pytest.raises(ValueError, match=f"Got n_threads={n_threads}, but expected"):
        kernels.TreeKernel(random_trees(0)).log_odds(np.zeros((2, 3)), n_threads)


def test_unknown_instruction_sets_are_refused(random_trees):
    with pytest.raises(ValueError, match="Got instruction_set='sse9', but expected"):
        kernels.TreeKernel(random_trees(0), "sse9")


def test_networks_are_refused():
    ends = np.array([0.0, 1.0])
    encoder = EncoderSpec(
        (NumberColumn("x", 0.0, 1.0, 0.5, ends, ends),), np.zeros(1, np.float32)
    )
    weights, biases = np.ones((1, 1), np.float32), np.ones(1, np.float32)
    spec = ModelSpec(NetworkSpec(encoder, (weights,), (biases,)), np.arange(2))
    with pytest.raises(TypeError, match="Got a predictor of type NetworkSpec"):
        kernels.TreeKernel(spec)


def test_something_else_than_a_model_is_refused():
    with pytest.raises(TypeError, match="Got a model of type int"):
        kernels.TreeKernel(3)
