"""The HRNN recommender: data, model, training, evaluation and serving."""
