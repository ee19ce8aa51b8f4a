"""What is known about the teachers of this library."""

STANDS_FOR = {
    "skdistill.CodingClassifier": lambda model: model.estimator_,
    # Derives from it, but is what the user has given.
    "skdistill.EarlyStoppingTeacher": None,
}
NEEDS_CODES = {"skdistill.CodingClassifier": False}
WRAPPERS = {
    "skdistill.CodingClassifier": lambda model, X: (model.estimator_, X),
}
