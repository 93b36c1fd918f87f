//! Other implementations of XML signatures at the gateway's door.

use std::process::Command;

use mezhved::envelope::{self, Draft};

use crate::support::{python, run};
use crate::world::{Agency, Backend, World, bodies};

const ID_ATTRIBUTE: [&str; 2] = ["--id-attr:Id", "urn:mezhved:envelope:1:Envelope"];
const KIND: &str = "guardianship-act";

/// What an agency that signs with xmlsec1 puts before the envelope's end tag; `{id}` is the envelope's.
const TEMPLATE: &str = r##"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
  <ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
    <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
    <ds:Reference URI="#{id}">
      <ds:Transforms>
        <ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
        <ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      </ds:Transforms>
      <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
      <ds:DigestValue/>
    </ds:Reference>
  </ds:SignedInfo>
  <ds:SignatureValue/>
  <ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>
</ds:Signature>"##;

const SIGNXML: &str = r##"
import sys
from lxml import etree
from signxml import XMLSigner, methods
xml, key, certificate, out = sys.argv[1:]
root = etree.parse(xml).getroot()
signer = XMLSigner(method=methods.enveloped, signature_algorithm="ecdsa-sha256", digest_algorithm="sha256",
                   c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
signed = signer.sign(root, key=open(key).read(), cert=open(certificate).read(), reference_uri="#" + root.get("Id"),
                     id_attribute="Id")
open(out, "wb").write(etree.tostring(signed))
"##;

fn by_xmlsec1(world: &World, agency: &Agency, draft: &Draft) -> Vec<u8> {
    let unsigned = String::from_utf8(envelope::compose(draft).unwrap()).unwrap();
    let signature = TEMPLATE.replace("{id}", &format!("_{}", draft.header.message_id));
    let (template, signed) = (world.file("template.xml"), world.file("signed.xml"));
    std::fs::write(&template, bodies::replaced(&unsigned, "</e:Envelope>", &format!("{signature}</e:Envelope>")))
        .unwrap();
    let keys = format!("{},{}", agency.key_file.display(), agency.certificate_file.display());
    let mut command = Command::new("xmlsec1");
    command.args(["--sign", "--privkey-pem", &keys, "--output"]).arg(&signed).args(ID_ATTRIBUTE).arg(&template);
    run(&mut command).done();
    std::fs::read(signed).unwrap()
}

fn by_signxml(world: &World, agency: &Agency, draft: &Draft) -> Vec<u8> {
    let (unsigned, signed) = (world.file("unsigned.xml"), world.file("signed.xml"));
    std::fs::write(&unsigned, envelope::compose(draft).unwrap()).unwrap();
    let paths = [&unsigned, &agency.key_file, &agency.certificate_file, &signed];
    python(SIGNXML, &paths.map(|path| path.to_str().unwrap())).done();
    std::fs::read(signed).unwrap()
}

#[test]
fn envelopes_of_xmlsec1_and_signxml_are_accepted_and_xmlsec1_verifies_the_receipts() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    for (name, sign) in [("xmlsec1", by_xmlsec1 as fn(&World, &Agency, &Draft) -> Vec<u8>), ("signxml", by_signxml)] {
        let request = register.draft("guardianship", "document-request", bodies::request(KIND));
        let answer = world.post(sign(&world, register, &request));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.receipt().message_id, request.header.message_id, "{name}");
        world.until(request.header.message_id, "delivered");

        assert!(xmlsec1_verifies(&world, &answer.bytes), "{name}: the receipt");
        let delivered = world.partner("guardianship").message(request.header.message_id).unwrap();
        assert!(xmlsec1_verifies(&world, &delivered.bytes), "{name}: what was delivered");
        let changed = bodies::replaced(&answer.text(), ">register<", ">registar<");
        assert!(!xmlsec1_verifies(&world, changed.as_bytes()), "{name}: a changed receipt");
    }
}

fn xmlsec1_verifies(world: &World, bytes: &[u8]) -> bool {
    let file = world.file("from-the-gateway.xml");
    std::fs::write(&file, bytes).unwrap();
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--trusted-pem"]).arg(world.file("keys/gateway.cert.pem")).args(ID_ATTRIBUTE).arg(&file);
    run(&mut command).status == Some(0)
}
