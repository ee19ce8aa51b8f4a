"""Foreign estimators as students: how soft targets reach each kind of them."""

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from ._base import StudentClassifier
from ._regression import LogOddsStudentClassifier
from ._skorch import SkorchStudentClassifier, is_skorch_net
from ._weighted import WeightedStudentClassifier


def as_student(estimator):
    """Return an estimator that trains on soft targets, made of the given one.

    Looks at the last step of a pipeline; the steps before it see the targets as
    labels (``np.asarray(targets)``).

    Parameters
    ----------
    estimator : estimator
        A student of this package, a skorch ``NeuralNet``, a classifier whose ``fit``
        takes `sample_weight`, a regressor, or a pipeline that ends in one of them.

    Returns
    -------
    estimator
        Unfitted. A student of this package is returned as it is, a classifier
        becomes a `WeightedStudentClassifier`, a regressor a
        `LogOddsStudentClassifier`, a skorch net a `SkorchStudentClassifier`.

    Raises
    ------
    TypeError
        If there is no way to train the estimator on soft targets.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdistill.students import as_student
    >>> as_student(make_pipeline(StandardScaler(), LogisticRegression()))[-1]
    WeightedStudentClassifier(classifier=LogisticRegression())
    """
    if isinstance(estimator, Pipeline):
        *steps, (name, last) = estimator.steps
        return clone(estimator).set_params(steps=[*steps, (name, as_student(last))])
    if isinstance(estimator, StudentClassifier):
        return estimator
    if is_skorch_net(estimator):
        return SkorchStudentClassifier(estimator)
    name = type(estimator).__name__
    if not hasattr(estimator, "fit") or not hasattr(estimator, "get_params"):
        raise TypeError(f"Got the student {estimator!r}, but expected an estimator.")
    if is_classifier(estimator):
        if not has_fit_parameter(estimator, "sample_weight"):
            raise TypeError(
                f"Got the student {name}, whose fit takes no sample_weight, and so "
                "there is no way to train it on soft targets."
            )
        return WeightedStudentClassifier(estimator)
    if is_regressor(estimator):
        return LogOddsStudentClassifier(estimator)
    raise TypeError(
        f"Got the student {name}, but expected a student of skdistill, a classifier, "
        "a regressor, a skorch net, or a pipeline that ends in one of them."
    )
