"""A network as C source."""

import numpy as np

from ._c_literals import array, literal
from ._first_layer import take_apart
from ._float32 import check_ends, split

_ADD = """
static void add(float factor, const float *weights, int32_t n, float *sums)
{
    int32_t i;
    for (i = 0; i < n; i++)
        sums[i] += factor * weights[i];
}
"""

_NUMBERS = """
struct number {
    int32_t column, n_knots, knots_at, n_edges, edges_at, weights_at, marks_missing;
    float fill, fill_rest;
};

$columns
$ends
/* The place of value + rest among increasing ends high + low: the last that is not
   above (the first if there is none), and the share of the way to the next. */
static float locate(const float *high, const float *low, int32_t n,
                    float value, float rest, int32_t *place)
{
    int32_t first = 0, last = n, at;
    while (first < last) {
        at = first + (last - first) / 2;
        if ((value - high[at]) + (rest - low[at]) >= 0.0f)
            first = at + 1;
        else
            last = at;
    }
    at = first > 0 ? first - 1 : 0;
    *place = at;
    if (first == 0 || first == n)
        return 0.0f;
    return ((value - high[at]) + (rest - low[at]))
        / ((high[at + 1] - high[at]) + (low[at + 1] - low[at]));
}

static void add_number(const struct number *c, float value, float *sums)
{
    const float *weights = number_weights + c->weights_at;
    float rest = 0.0f, share;
    int32_t at;
    if (value != value) {
        value = c->fill;
        rest = c->fill_rest;
        if (c->marks_missing)
            add(1.0f, weights, N_FIRST, sums);
    }
    if (c->marks_missing)
        weights += N_FIRST;
    if (c->n_knots > 0) {
        const float *s = scores + c->knots_at;
        share = locate(knots + c->knots_at, knots_rest + c->knots_at, c->n_knots,
                       value, rest, &at);
        share = share > 0.0f ? s[at] + share * (s[at + 1] - s[at]) : s[at];
        add(share, weights, N_FIRST, sums);
        weights += N_FIRST;
    }
    if (c->n_edges > 0) {
        share = locate(edges + c->edges_at, edges_rest + c->edges_at, c->n_edges,
                       value, rest, &at);
        /* Row i holds the sum over intervals 0 to i. */
        if (at > 0)
            add(1.0f - share, weights + (at - 1) * N_FIRST, N_FIRST, sums);
        if (share > 0.0f)
            add(share, weights + at * N_FIRST, N_FIRST, sums);
    }
}
"""

_CATEGORIES = """
struct category {
    int32_t column, n_levels, slots_at, n_means, means_at, slot_weights_at,
        mean_weights_at;
};

$columns
$tables
static void add_category(const struct category *c, float value, float *sums)
{
    int32_t level = c->n_levels, i;
    if (value != value || value == -1.0f)
        level++;
    else if (value >= 0.0f && value < (float)c->n_levels)
        level = (int32_t)value;
    if (slots[c->slots_at + level] >= 0)
        add(1.0f, category_weights + c->slot_weights_at
            + slots[c->slots_at + level] * N_FIRST, N_FIRST, sums);
    for (i = 0; i < c->n_means; i++)
        add(means[c->means_at + level * c->n_means + i],
            category_weights + c->mean_weights_at + i * N_FIRST, N_FIRST, sums);
}
"""

_LAYER = """
/* Inputs are rectified here: only those above 0 count. */
static void layer(const float *inputs, int32_t n_inputs, const float *weights,
                  const float *biases, int32_t n, float *sums)
{
    int32_t i;
    for (i = 0; i < n; i++)
        sums[i] = biases[i];
    for (i = 0; i < n_inputs; i++)
        if (inputs[i] > 0.0f)
            add(inputs[i], weights + i * n, n, sums);
}
"""

_OUTPUTS = """
static void outputs_of(const float *row, float *outputs)
{
$buffers    float *first;
    int32_t i;
$zeros    first = $first;
    for (i = 0; i < N_FIRST; i++)
        first[i] = biases_0[i];
$columns$layers}
"""


def network_source(network, first_output):
    """Return the data of a network and the function `outputs_of` as C source.

    The code of the table is not expanded: a number is looked up among the ends of its
    intervals, and the weights of those below are there as sums.

    Parameters
    ----------
    network : skdistill.runtime.NetworkSpec
        The network.
    first_output : int
        Where among the outputs its own begin; those before are 0.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a column's numbers overflow float32.
    """
    check_ends(network.columns)
    numbers, categories, biases = take_apart(network)
    parts = [f"enum {{ N_FIRST = {len(biases)} }};\n", array("biases_0", biases)]
    if numbers or categories or len(network.weights) > 1:
        parts.append(_ADD)
    if numbers:
        parts.append(_numbers_source(numbers))
    if categories:
        parts.append(_categories_source(categories))
    if len(network.weights) > 1:
        parts.append(_LAYER)
    parts.append(_outputs_source(network, numbers, categories, first_output))
    return "".join(parts)


def _numbers_source(numbers):
    structs, weights, starts = [], [], {"knots": 0, "edges": 0, "weights": 0}
    for part in numbers:
        column = part.column
        fill, rest = split(np.array([column.fill]))
        row = [part.position, len(column.knots), starts["knots"], len(column.edges)]
        row += [starts["edges"], starts["weights"], int(column.marks_missing)]
        cells = [*map(str, row), literal(fill[0]), literal(rest[0])]
        structs.append(f"    {{{', '.join(cells)}}}")
        weights += [part.mark, part.score, part.intervals.cumsum(axis=0)]
        starts["knots"] += len(column.knots)
        starts["edges"] += len(column.edges)
        starts["weights"] += part.weights.size
    ends = {
        name: np.concatenate([getattr(part.column, name) for part in numbers])
        for name in ("knots", "edges")
    }
    arrays = [array("scores", np.concatenate([part.column.scores for part in numbers]))]
    for name, values in ends.items():
        high, low = split(values)
        arrays += [array(name, high), array(f"{name}_rest", low)]
    arrays.append(array("number_weights", np.concatenate(weights)))
    table = _struct_array("number", "numbers", structs)
    return _NUMBERS.replace("$columns", table).replace("$ends", "".join(arrays))


def _categories_source(categories):
    structs, slots, means, weights = [], [], [], []
    starts = {"slots": 0, "means": 0, "weights": 0}
    for part in categories:
        column, n_units = part.column, part.weights.shape[1]
        n_means = column.means.shape[1]
        row = [part.position, len(column.levels), starts["slots"], n_means]
        row += [starts["means"], starts["weights"]]
        row.append(starts["weights"] + column.n_slots * n_units)
        structs.append(f"    {{{', '.join(map(str, row))}}}")
        # Behind the levels come unseen ones, then missing ones, as in the spec.
        slots.append(column.slots)
        means.append(column.means.ravel())
        weights.append(part.weights)
        starts["slots"] += len(column.slots)
        starts["means"] += column.means.size
        starts["weights"] += part.weights.size
    arrays = [
        array("slots", np.concatenate(slots)),
        array("means", np.concatenate(means)),
        array("category_weights", np.concatenate(weights)),
    ]
    table = _struct_array("category", "categories", structs)
    return _CATEGORIES.replace("$columns", table).replace("$tables", "".join(arrays))


def _struct_array(kind, name, rows):
    body = ",\n".join(rows)
    return f"static const struct {kind} {name}[{len(rows)}] = {{\n{body}\n}};\n"


def _outputs_source(network, numbers, categories, first_output):
    """Return the layers after the first, and the function that calls all."""
    last = len(network.weights) - 1
    hidden = [len(biases) for biases in network.biases[:-1]]
    places = [f"hidden_{i % 2}" for i in range(last)] + ["outputs"]
    arrays, layers = [], []
    for i in range(1, last + 1):
        weights, biases = network.weights[i], network.biases[i]
        arrays += [array(f"weights_{i}", weights), array(f"biases_{i}", biases)]
        inputs = f"{places[i - 1]}, {weights.shape[0]}, weights_{i}, biases_{i}"
        layers.append(f"    layer({inputs}, {weights.shape[1]}, {places[i]});\n")
    tables = [("number", "numbers", numbers), ("category", "categories", categories)]
    columns = [
        f"    for (i = 0; i < {len(parts)}; i++)\n"
        f"        add_{kind}(&{name}[i], row[{name}[i].column], first);\n"
        for kind, name, parts in tables
        if parts
    ]
    # Layers take turns with two arrays, each as wide as its widest layer.
    buffers = [
        f"    float hidden_{i}[{max([1, *hidden[i::2]])}];\n"
        for i in range(min(last, 2))
    ]
    texts = {
        "$buffers": "".join(buffers),
        "$zeros": "    *outputs++ = 0.0f;\n" * first_output,
        "$first": places[0],
        "$columns": "".join(columns) or "    (void)row;\n",
        "$layers": "".join(layers),
    }
    outputs = _OUTPUTS
    for name, text in texts.items():
        outputs = outputs.replace(name, text)
    return "\n" + "".join(arrays) + outputs
