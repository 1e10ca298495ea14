//! Tables of normalization.
