//! Files that are not inside of the envelope, black-box: they are uploaded and read with tickets, a message waits until all that it lists
//! are here, and whatever is cut, wrong, refused or forgotten leaves nothing behind.

mod grace;
mod killed;
mod large;
mod refused;
mod s3;
mod s3_server;
mod waiting;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use mezhved::crypto::sha256;
use mezhved::domain::{Attachment, Digest};
use mezhved::envelope::Draft;
use mezhved::envelope::technical::{Resource, Ticket, TicketMethod, TicketRequest};

use crate::world::{Answer, RUNTIME, World, bodies};

/// Bytes that do not repeat, made from a seed.
fn bytes(seed: u32, len: u32) -> Vec<u8> {
    (0..len).map(|n| ((n ^ seed).wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// A file as a message lists it.
fn listed(digest: Digest, size_bytes: u64) -> Attachment {
    let (media_type, name) = ("application/pdf".to_owned(), "Справка.pdf".to_owned());
    Attachment { digest, size_bytes, media_type, name, inline: None, signs: None }
}

/// A request of the register to guardianship that lists these files.
fn request(world: &World, files: &[&[u8]]) -> Draft {
    let register = world.agency("register");
    let mut draft = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    draft.header.attachments = files.iter().map(|file| listed(sha256(file), file.len() as u64)).collect();
    draft
}

/// A ticket for a file, asked for by an agency.
fn ticket(world: &World, agency: &str, method: TicketMethod, digest: Digest) -> String {
    let agency = world.agency(agency);
    let request = agency.technical(&TicketRequest { method, resource: Resource::Attachment(digest) });
    world.post(agency.sign(&request)).opened().technical::<Ticket>().token
}

fn path(digest: Digest) -> String {
    format!("/v1/attachments/{digest}")
}

/// Uploads bytes under a digest.
fn put_as(world: &World, agency: &str, digest: Digest, file: &[u8]) -> Answer {
    let token = ticket(world, agency, TicketMethod::Put, digest);
    RUNTIME.block_on(world.wire().put(&path(digest), &token, file.to_vec().into())).unwrap()
}

/// Uploads a file.
fn put(world: &World, agency: &str, file: &[u8]) -> Answer {
    put_as(world, agency, sha256(file), file)
}

/// Reads a file.
fn get(world: &World, agency: &str, digest: Digest) -> Answer {
    let token = ticket(world, agency, TicketMethod::Get, digest);
    RUNTIME.block_on(world.wire().get(&path(digest), Some(&token))).unwrap()
}

/// The names of the files in the gateway's folder: those that have their place, and those on their way.
fn on_disk(world: &World) -> (Vec<String>, Vec<String>) {
    let names = |folder: &std::path::Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    let folder = world.file("data/attachments");
    let shards = names(&folder).into_iter().filter(|name| name != "incoming");
    let kept = shards.flat_map(|shard| names(&folder.join(shard))).collect();
    (kept, names(&folder.join("incoming")))
}

/// The state of the only delivery of a message, and its reason.
fn delivery(world: &World, id: mezhved::domain::MessageId) -> (String, String) {
    let shown = world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
    let delivery = &shown[0]["deliveries"][0];
    let word = |key: &str| delivery[key].as_str().unwrap_or_default().to_owned();
    (word("state"), word("reason"))
}

/// Begins an upload by hand: sends its head, and no byte of its body.
fn begin(world: &World, path: &str, token: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.wire().address()).unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The same, and the head that comes back.
fn head(world: &World, path: &str, token: &str, more: &str) -> String {
    answer_head(&mut begin(world, path, token, more))
}

/// Reads the head of an answer.
fn answer_head(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(crate::world::SOON)).unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}
