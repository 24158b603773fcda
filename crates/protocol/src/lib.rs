
pub mod sigv4;
