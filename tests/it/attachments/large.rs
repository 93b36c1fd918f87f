//! A large file goes through the gateway and never into its memory.

use std::io::Write as _;
use std::time::{Duration, Instant};

use mezhved::crypto::Sha256;
use mezhved::domain::Digest;
use mezhved::envelope::technical::TicketMethod;

use super::s3_server::S3Server;
use super::{answer_head, begin, listed, path, request, ticket};
use crate::world::{Backend, RUNTIME, World};

/// How much is sent: the largest file that the settings allow by default.
const SIZE_MIB: u64 = 1024;
/// The same through a bucket, whose store runs in this process.
const BUCKET_SIZE_MIB: u64 = 256;
/// How far above its memory at rest the gateway may come.
const ABOVE_IDLE_KIB_MAX: u64 = 64 * 1024;
const BLOCK_BYTES: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(600);

/// The n-th mebibyte of the file.
fn block(n: u64) -> Vec<u8> {
    let mut block = vec![n as u8; BLOCK_BYTES];
    block[..8].copy_from_slice(&n.to_le_bytes());
    block
}

/// A figure of the process's status, in KiB.
fn kib(world: &World, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.gateway().id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn digest(size_mib: u64) -> Digest {
    let mut hash = Sha256::new();
    (0..size_mib).for_each(|n| hash.update(&block(n)));
    hash.finish()
}

#[test]
fn a_large_file_goes_through_and_not_into_memory() {
    goes_through(&World::on(Backend::Sqlite).start(), SIZE_MIB);
}

#[test]
fn a_large_file_goes_through_a_bucket_and_not_into_memory() {
    let server = S3Server::start();
    let settings = server.settings().replace("part_bytes = 5242880", "part_bytes = 8388608");
    goes_through(&World::on(Backend::Sqlite).setting(settings).start(), BUCKET_SIZE_MIB);
}

fn goes_through(world: &World, size_mib: u64) {
    let register = world.agency("register");
    let digest = digest(size_mib);
    let mut draft = request(world, &[]);
    draft.header.attachments = vec![listed(digest, size_mib << 20)];
    world.post(register.sign(&draft)).receipt();
    let token = ticket(world, "register", TicketMethod::Put, digest);
    // The peak is counted from here: what the start took, such as the hashing of a password, is not this file's.
    std::fs::write(format!("/proc/{}/clear_refs", world.gateway().id()), "5").unwrap();
    let idle = kib(world, "VmRSS:");

    let begun = Instant::now();
    let mut upload = begin(world, &path(digest), &token, &format!("Content-Length: {}\r\n", size_mib << 20));
    (0..size_mib).for_each(|n| upload.write_all(&block(n)).unwrap());
    let answer = answer_head(&mut upload);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let uploaded = begun.elapsed();
    world.until(draft.header.message_id, "delivered");

    let token = ticket(world, "guardianship", TicketMethod::Get, digest);
    let begun = Instant::now();
    let download = world.wire().request(reqwest::Method::GET, &path(digest)).timeout(PATIENCE).bearer_auth(token);
    let (size, read) = RUNTIME.block_on(async {
        let mut answer = download.send().await.unwrap();
        let (mut size, mut hash) = (0_u64, Sha256::new());
        while let Some(chunk) = answer.chunk().await.unwrap() {
            size += chunk.len() as u64;
            hash.update(&chunk);
        }
        (size, hash.finish())
    });
    assert_eq!((size, read), (size_mib << 20, digest));
    let peak = kib(world, "VmHWM:");
    let downloaded = begun.elapsed();
    eprintln!("{size_mib} MiB: up {uploaded:?}, down {downloaded:?}; at rest {idle} KiB, at most {peak} KiB");
    assert!(peak < idle + ABOVE_IDLE_KIB_MAX, "at rest {idle} KiB, at most {peak} KiB");
}
