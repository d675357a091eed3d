"""HTTP: request and response schemas, errors as problems, routes, logs and metrics."""
