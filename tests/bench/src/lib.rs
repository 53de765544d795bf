//! Measures InnSync beside plain baselines in the same run.
