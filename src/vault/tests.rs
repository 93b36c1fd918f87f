use futures_util::TryStreamExt as _;

use super::*;
use crate::crypto::sha256;

const LATER: Timestamp = Timestamp::from_micros(i64::MAX / 2);
const WHOLE: &[u8] = b"whole bytes";

async fn vault(folder: &tempfile::TempDir) -> Vault {
    let vault = Vault::folder(folder.path().join("files"));
    vault.prepare().await.unwrap();
    vault
}

async fn begun(vault: &Vault, bytes: &[u8]) -> Incoming {
    let mut incoming = vault.begin(sha256(bytes), Scanner::none()).await.unwrap();
    for part in bytes.chunks(3) {
        incoming.write(part).await.unwrap();
    }
    incoming
}

async fn names(vault: &Vault, before: Timestamp) -> Vec<String> {
    let (mut all, mut page) = (Vec::new(), None);
    loop {
        let (some, next) = vault.names(before, page).await.unwrap();
        all.extend(some);
        page = next;
        if page.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn a_file_has_its_place_once_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let mut received = begun(&vault, WHOLE).await.finish().await.unwrap();
    assert_eq!((received.digest, received.size_bytes), (sha256(WHOLE), 11));
    assert_eq!(received.scan().await, Scan::Clean);
    assert!(names(&vault, LATER).await.is_empty());
    let name = vault.keep(received).await.unwrap();
    assert_eq!(names(&vault, LATER).await, std::slice::from_ref(&name));
    assert_eq!(vault.remove_unfinished(LATER).await.unwrap(), 0);
    assert!(names(&vault, Timestamp::from_micros(0)).await.is_empty(), "younger files are not named");
    let second = begun(&vault, WHOLE).await.finish().await.unwrap();
    let second = vault.keep(second).await.unwrap();
    vault.remove(&name).await.unwrap();
    vault.remove(&name).await.unwrap();
    assert!(!vault.holds(&name).await.unwrap() && vault.read(&name, 0, 11).await.unwrap().is_none());
    assert!(vault.holds(&second).await.unwrap(), "each upload has a name of its own");
    let rest: Vec<_> = vault.read(&second, 6, 11).await.unwrap().unwrap().try_collect().await.unwrap();
    assert_eq!(rest.concat(), b"bytes");
}

#[tokio::test]
async fn other_bytes_than_were_announced_get_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let mut incoming = vault.begin(sha256(WHOLE), Scanner::none()).await.unwrap();
    incoming.write(b"others").await.unwrap();
    assert!(vault.keep(incoming.finish().await.unwrap()).await.is_err());
    assert!(names(&vault, LATER).await.is_empty());
}

#[tokio::test]
async fn what_is_dropped_leaves_nothing_and_what_died_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    drop(begun(&vault, b"cut").await);
    drop(begun(&vault, b"refused").await.finish().await.unwrap());
    assert_eq!(vault.remove_unfinished(LATER).await.unwrap(), 0);
    std::fs::write(folder.path().join("files/incoming/died.part"), "died").unwrap();
    assert_eq!(vault.remove_unfinished(Timestamp::from_micros(0)).await.unwrap(), 0, "it may still be written");
    assert_eq!(vault.remove_unfinished(LATER).await.unwrap(), 1);
    std::fs::create_dir_all(folder.path().join("files/0a")).unwrap();
    std::fs::write(folder.path().join("files/0a/notes.txt"), "").unwrap();
    assert!(names(&vault, LATER).await.is_empty(), "other people's files are not ours");
}
