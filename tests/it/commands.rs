//! The command line as people and scripts meet it: what it prints, its exit status, and what it changes.

mod acts;
pub(crate) mod adapters;
mod administer;
mod bad_input;
mod check;
mod crypto;
mod help;
mod partners;
mod replay;

use std::path::Path;

/// Copies a folder of the project to a folder of a test.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Changes one text of a file, which must be there.
pub(crate) fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, crate::world::bodies::replaced(&text, from, to)).unwrap();
}

/// A file or folder of the project.
pub(crate) fn project(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
