//! The clients that people use, unmodified.

mod terraform;
mod whole_loop;
