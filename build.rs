//! Tells cargo that the embedded folders are part of the source.

fn main() {
    for folder in ["schemas", "adapters", "conversions", "config", "locales", "migrations"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
