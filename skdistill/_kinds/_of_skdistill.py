"""What is known about the teachers of this library."""

WRAPPERS = {
    "skdistill.CodingClassifier": lambda model, X: (model.estimator_, X),
}
