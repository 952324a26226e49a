"""The work itself: typed functions on pandas, pyarrow and scikit-learn. Nothing here knows about pipelines."""
