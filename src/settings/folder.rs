//! Reads and writes the administrator's folder as [`Files`].
//!
//! ```text
//! DIR/settings.toml          this node's settings
//! DIR/participants/*.toml    one participant a file, with its certificates beside it (*.crt, *.pem)
//! DIR/regulations/*.toml     one region's rules a file
//! DIR/calendars/*.csv        production calendars
//! DIR/adapters/NAME/...      adapters; those of the binary are there unless a folder of the same name replaces one
//! DIR/conversions/TYPE/1-2/  conversions between versions of a message type; likewise
//! DIR/schemas/social/TYPE/N/ further message types and versions; what the binary has published stays as it is
//! ```

use std::path::{Path, PathBuf};

use crate::bundle::{self, Files};

/// The largest file of a configuration folder, in bytes.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How many files a configuration folder may have.
pub const FILES_MAX: usize = 5_000;

/// What every PEM of a private key says, whatever its kind.
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is larger than [`FILE_BYTES_MAX`].
    #[error("{0}: файл больше {max} байт / the file is larger than {max} bytes", max = FILE_BYTES_MAX)]
    FileTooLarge(PathBuf),
    /// A private key lies where only what is shared belongs: the files go into the database and into exports.
    #[error(
        "{0}: закрытый ключ; уберите его из папки, участникам нужны только сертификаты / a private key; take it out, only \
             certificates belong here"
    )]
    PrivateKey(PathBuf),
    /// A schema that the binary has published would change.
    #[error(
        "{0}: опубликованная схема не меняется; сделайте новую версию, папку рядом / a published schema does not change; make a new \
             version, a folder beside it"
    )]
    PublishedSchema(PathBuf),
    /// More files than [`FILES_MAX`].
    #[error("{0}: файлов больше {max} / more than {max} files", max = FILES_MAX)]
    TooManyFiles(PathBuf),
}

/// Reads `DIR/participants` (an absent folder is an empty map).
///
/// # Errors
/// When a file cannot be read or a limit is passed.
pub fn participants(dir: &Path) -> Result<Files, FolderError> {
    let mut files = Files::new();
    read_below(dir, "participants", &mut files)?;
    Ok(files)
}

/// The bundle: schemas of the binary and further ones of `DIR/schemas`, its adapters and conversions overlaid by `DIR/adapters` and
/// `DIR/conversions`, and the regulations and calendars of `DIR` (those of the binary when `DIR` has no such folder).
///
/// # Errors
/// When a file cannot be read, a limit is passed, or a published schema would change.
pub fn bundle(dir: &Path) -> Result<Files, FolderError> {
    let mut files = bundle::embedded();
    files.retain(|path, _| !path.starts_with("config/participants/") && path != "config/settings.toml");
    for part in ["regulations", "calendars"] {
        if dir.join(part).is_dir() {
            files.retain(|path, _| !path.starts_with(&format!("config/{part}/")));
            let mut own = Files::new();
            read_below(dir, part, &mut own)?;
            files.extend(own.into_iter().map(|(path, bytes)| (format!("config/{path}"), bytes)));
        }
    }
    let mut own = Files::new();
    for part in ["adapters", "conversions"] {
        read_below(dir, part, &mut own)?;
    }
    let folders: std::collections::BTreeSet<&str> = own.keys().filter_map(|path| replaced(path)).collect();
    files.retain(|path, _| replaced(path).is_none_or(|folder| !folders.contains(folder)));
    files.extend(own);
    let mut schemas = Files::new();
    read_below(dir, "schemas", &mut schemas)?;
    let changes = |(path, bytes): &(&String, &Vec<u8>)| {
        path.ends_with(".xsd") && files.get(*path).is_some_and(|published| published != *bytes)
    };
    if let Some((path, _)) = schemas.iter().find(changes) {
        return Err(FolderError::PublishedSchema(dir.join(path)));
    }
    files.extend(schemas);
    Ok(files)
}

/// The folder that is replaced as a whole: `adapters/NAME` or `conversions/TYPE/VERSIONS`.
fn replaced(path: &str) -> Option<&str> {
    let depth = match path.split_once('/')?.0 {
        "adapters" => 2,
        "conversions" => 3,
        _ => return None,
    };
    let (end, _) = path.match_indices('/').nth(depth - 1)?;
    path.get(..end)
}

fn read_below(dir: &Path, part: &str, files: &mut Files) -> Result<(), FolderError> {
    let root = dir.join(part);
    let mut waiting = vec![root];
    while let Some(folder) = waiting.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(source) => return Err(FolderError::Io { path: folder, source }),
        };
        for entry in entries {
            let path = entry.map_err(|source| FolderError::Io { path: folder.clone(), source })?.path();
            let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            if hidden {
                continue;
            }
            if path.is_dir() {
                waiting.push(path);
            } else {
                read_file(dir, &path, files)?;
            }
        }
    }
    Ok(())
}

fn read_file(dir: &Path, path: &Path, files: &mut Files) -> Result<(), FolderError> {
    let io = |source| FolderError::Io { path: path.to_path_buf(), source };
    if std::fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
        return Err(FolderError::FileTooLarge(path.to_path_buf()));
    }
    if files.len() >= FILES_MAX {
        return Err(FolderError::TooManyFiles(path.to_path_buf()));
    }
    let name = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let bytes = std::fs::read(path).map_err(io)?;
    if bytes.windows(PRIVATE_KEY.len()).any(|w| w == PRIVATE_KEY) {
        return Err(FolderError::PrivateKey(path.to_path_buf()));
    }
    files.insert(name, bytes);
    Ok(())
}

/// Writes the files below `dir`, making folders as needed. Existing files with the same names are replaced.
///
/// # Errors
/// When a path would leave `dir` or the system refuses.
pub fn write(dir: &Path, files: &Files) -> Result<(), FolderError> {
    for (name, bytes) in files {
        let path = dir.join(name);
        let inside = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
        if !inside {
            let source = std::io::Error::other("the path leaves the folder");
            return Err(FolderError::Io { path, source });
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|source| FolderError::Io { path: parent.to_path_buf(), source })?;
        }
        std::fs::write(&path, bytes).map_err(|source| FolderError::Io { path, source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_does_not_go_into_the_database() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("participants")).unwrap();
        std::fs::write(dir.path().join("participants/a.crt"), "-----BEGIN CERTIFICATE-----\n").unwrap();
        assert_eq!(participants(dir.path()).unwrap().len(), 1);
        std::fs::write(dir.path().join("participants/a.key"), "-----BEGIN EC PRIVATE KEY-----\n").unwrap();
        let error = participants(dir.path()).unwrap_err();
        assert!(matches!(error, FolderError::PrivateKey(_)) && error.to_string().contains("a.key"), "{error}");
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["../x", "/x", "a/../../x"] {
            assert!(write(dir.path(), &Files::from([(path.to_owned(), Vec::new())])).is_err(), "{path}");
        }
    }
}
