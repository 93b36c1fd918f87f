//! The files that come with the binary: schemas, adapters, conversions and the sample configuration.
//!
//! Everything that reads such files takes a [`Files`] map, so the same code serves the embedded set, an administrator's
//! folder and a revision in the database. Nothing here reads the file system.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};

/// Paths with forward slashes (`schemas/envelope/1/envelope.xsd`) to exact bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas");
static ADAPTERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/adapters");
static CONVERSIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/conversions");
static CONFIG: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config");

/// The files compiled into this binary.
pub fn embedded() -> Files {
    let mut files = Files::new();
    let roots = [("schemas", &SCHEMAS), ("adapters", &ADAPTERS), ("conversions", &CONVERSIONS), ("config", &CONFIG)];
    for (root, dir) in roots {
        collect(root, dir, &mut files);
    }
    files
}

fn collect(root: &str, dir: &Dir<'_>, files: &mut Files) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        if !path.ends_with(".gitkeep") {
            files.insert(format!("{root}/{path}"), file.contents().to_vec());
        }
    }
    for sub in dir.dirs() {
        collect(root, sub, files);
    }
}
