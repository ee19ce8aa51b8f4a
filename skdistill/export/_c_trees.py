"""An ensemble of trees as C source."""

import numpy as np

from ._c_literals import array
from ._float32 import check_thresholds, round_down

_CATEGORICAL = """
static int in_set(int32_t set, float value, int32_t level)
{
    /* Behind the levels come unseen ones, then missing ones. */
    if (value != value || value == -1.0f)
        level++;
    else if (value >= 0.0f && value < (float)level)
        level = (int32_t)value;
    return (int)((level_sets[set * N_WORDS + level / 32] >> (level % 32)) & 1u);
}
"""

_GOES_LEFT = """
static int goes_left(int32_t node, const float *row)
{
    float value = row[features[node]];
$categorical    if (value != value)
        return missing_left[node];
    return value <= thresholds[node];
}
"""

_IN_SET = """    if (sets[node] >= 0)
        return in_set(sets[node], value, n_levels[features[node]]);
"""

_OUTPUTS = """
static void outputs_of(const float *row, float *outputs)
{
    int32_t tree, node, i;
$zeros    for (i = 0; i < N_OUTPUTS; i++)
        outputs[i] = base[i];
    for (tree = 0; tree < N_TREES; tree++) {
        node = roots[tree];
        while (node >= 0)
            node = children[2 * node + !goes_left(node, row)];
        for (i = 0; i < LEAF_WIDTH; i++)
            outputs[tree_outputs[tree] + i] += leaves[(-1 - node) * LEAF_WIDTH + i];
    }
}
"""


def trees_source(trees, first_output):
    """Return the data of trees and the function `outputs_of` as C source.

    Thresholds are rounded down to float32, which leaves every float32 number on its
    side.

    Parameters
    ----------
    trees : skdistill.runtime.TreeEnsembleSpec
        The trees.
    first_output : int
        Where among the outputs its own begin; those before are 0.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the threshold of a numeric column is NaN or overflows float32.
    """
    check_thresholds(trees)
    categorical = trees.sets >= 0
    thresholds = np.where(categorical, 0.0, trees.thresholds)
    parts = [
        f"enum {{ N_OUTPUTS = {trees.n_outputs}, N_TREES = {len(trees.roots)}, ",
        f"LEAF_WIDTH = {trees.leaves.shape[1]} }};\n",
        array("base", trees.base),
        array("roots", trees.roots.astype(np.int32)),
        array("tree_outputs", trees.outputs),
        array("features", trees.features),
        array("thresholds", round_down(thresholds)),
        array("missing_left", trees.missing_left),
        array("children", trees.children),
        array("leaves", trees.leaves),
    ]
    if categorical.any():
        n_levels = [len(column.levels or ()) for column in trees.columns]
        parts += [
            array("sets", trees.sets),
            array("n_levels", np.array(n_levels)),
            f"enum {{ N_WORDS = {trees.level_sets.shape[1]} }};\n",
            array("level_sets", trees.level_sets),
            _CATEGORICAL,
        ]
    in_set = _IN_SET if categorical.any() else ""
    parts.append(_GOES_LEFT.replace("$categorical", in_set))
    zeros = "    *outputs++ = 0.0f;\n" * first_output
    parts.append(_OUTPUTS.replace("$zeros", zeros))
    return "".join(parts)
