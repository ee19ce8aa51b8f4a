"""What is known about the teachers of this library."""

NEEDS_CODES = {"skdistill.CodingClassifier": False}
WRAPPERS = {
    "skdistill.CodingClassifier": lambda model, X: (model.estimator_, X),
}
