"""Tables and a figure of the results of the retention benchmark."""

from collections import defaultdict

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
SCORES = ("retention", "log_loss", "accuracy", "auc", "agreement", "kl")


def print_summary(runs):
    """Markdown tables: what students keep, the teachers, baselines, costs, settings."""
    for teacher in unique(runs, "teacher"):
        own = [run for run in runs if run["teacher"] == teacher]
        defaults = [run for run in own if not run["settings"]]
        print(f"\n## {teacher} teacher\n")
        if defaults:
            print_scores(defaults, "retention", "mean, each <= 1")
            print_scores(defaults, "agreement", "mean")
            print_teachers(defaults)
            print_comparison(defaults)
            print_costs(defaults)
        others = [run for run in own if run["settings"]]
        if others:
            print_scores(others, "retention", "mean, each <= 1")


def unique(runs, name):
    return list(dict.fromkeys(run[name] for run in runs))


def label(run):
    if run["labels"] == "hard":
        return f"{run['model']}, labels"
    return f"{run['model']} {run['settings']}".strip()


def case_of(run):
    """The table and how many rows were drawn of it, or of these fitted to."""
    return run["table"], run.get("train_rows") or run["rows"]


def by_case(runs, score):
    """Mean over splits and seeds: {model: {(table, rows): value}}."""
    values = defaultdict(lambda: defaultdict(list))
    for run in runs:
        values[label(run)][case_of(run)].append(run[score])
    return {
        model: {case: float(np.mean(v)) for case, v in cases.items()}
        for model, cases in values.items()
    }


def print_scores(runs, score, mean):
    """Print a row for each model and a column for each table."""
    models = by_case(runs, score)
    cases = sorted({case for model in models.values() for case in model})
    print_row(score, *(f"{table} {rows}" for table, rows in cases), mean)
    print_row(*["---"] * (len(cases) + 2))
    for model, values in models.items():
        cells = [f"{values[case]:.3f}" if case in values else "" for case in cases]
        capped = np.mean([min(value, 1.0) for value in values.values()])
        print_row(model, *cells, f"{capped:.3f}")
    print()


def print_teachers(runs):
    names = ("prior", "teacher", "calibrated")
    print_row("log-loss", *names, "calibration temperature", "teacher s", "labelling s")
    print_row(*["---"] * 7)
    means = [by_case(runs, f"{name}_log_loss") for name in names]
    means.append(by_case(runs, "calibration_temperature"))
    means += [by_case(runs, f"{name}_seconds") for name in ("teacher", "labelling")]
    for case in sorted({case for model in means[0].values() for case in model}):
        cells = [next(m[case] for m in mean.values() if case in m) for mean in means]
        digits = [4, 4, 4, 2, 1, 1]
        table, rows = case
        row = [f"{c:.{d}f}" for c, d in zip(cells, digits, strict=True)]
        print_row(f"{table} {rows}", *row)


def print_comparison(runs):
    """Each student's log-loss against its own baseline, in pairs of split and seed."""
    pairs = [("mlp 3x64", "boosted 30x31")]
    pairs += [(model, model) for model in unique(runs, "model")]
    print()
    print_row(
        "log-loss minus that of", "tables", "mean", "95 % interval", "worst table"
    )
    print_row(*["---"] * 5)
    for student, baseline in pairs:
        differences = paired(runs, student, baseline)
        if not differences:
            continue
        everything = np.concatenate(list(differences.values()))
        low, high = interval(everything)
        worst = max(differences, key=lambda case: np.mean(differences[case]))
        print_row(
            f"{student} - {baseline} on labels",
            len(differences),
            f"{everything.mean():+.4f}",
            f"{low:+.4f} to {high:+.4f}",
            f"{worst[0]} {worst[1]} {np.mean(differences[worst]):+.4f}",
        )


def paired(runs, student, baseline):
    """Differences in log-loss by case, one for each split and seed."""

    def losses(model, labels):
        return {
            (*case_of(run), run["split"], run["seed"]): run["log_loss"]
            for run in runs
            if run["model"] == model and run["labels"] == labels
        }

    soft, hard = losses(student, "soft"), losses(baseline, "hard")
    differences = defaultdict(list)
    for key in soft.keys() & hard.keys():
        differences[key[:2]].append(soft[key] - hard[key])
    return dict(differences)


def interval(values):
    """Student's t interval of the mean."""
    if len(values) < 2:
        return -np.inf, np.inf
    return stats.t.interval(
        CONFIDENCE, len(values) - 1, np.mean(values), stats.sem(values) or 1e-12
    )


def print_costs(runs):
    print()
    print_row("student", "fit s, median", "most", "numbers", "calibration error")
    print_row(*["---"] * 5)
    for model in unique([{"label": label(run)} for run in runs], "label"):
        own = [run for run in runs if label(run) == model]
        seconds = [run["student_seconds"] for run in own]
        print_row(
            model,
            f"{np.median(seconds):.1f}",
            f"{max(seconds):.1f}",
            f"{np.median([run['numbers'] for run in own]):.0f}",
            f"{np.mean([run['calibration_error'] for run in own]):.4f}",
        )


def print_row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |")


def plot(runs, path):
    """Draw retention by student, a point for each table, a panel for each teacher."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    teachers = unique(runs, "teacher")
    figure, axes = pyplot.subplots(
        1, len(teachers), figsize=(4 * len(teachers), 4), sharey=True, squeeze=False
    )
    for ax, teacher in zip(axes[0], teachers, strict=True):
        retention = by_case([r for r in runs if r["teacher"] == teacher], "retention")
        for height, (model, values) in enumerate(reversed(retention.items())):
            color = "tab:gray" if model.endswith("labels") else "tab:blue"
            shown = np.clip(list(values.values()), 0.5, 1.1)
            ax.plot(shown, [height] * len(shown), "o", color=color, alpha=0.6)
        ax.set_yticks(range(len(retention)), list(reversed(retention)))
        ax.axvline(1, color="black", linewidth=0.8)
        ax.set(title=f"{teacher} teacher", xlabel="skill retention (from 0.5)")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.endswith("svg") else None)
