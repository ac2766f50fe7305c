//! Pruning, judged by tables and by cargo.

mod closures;
mod groups;
mod real;
mod sandbox;
mod shapes;
