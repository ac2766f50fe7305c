//! Pruning, judged by tables and by cargo.

mod closures;
mod real;
mod sandbox;
mod shapes;
