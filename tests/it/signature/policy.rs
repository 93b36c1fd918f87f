//! Every way to break the signature policy, each with its exact code.
//!
//! A forged envelope is signed properly wherever that is possible at all, so that it is the policy that refuses it and not the
//! arithmetic. [`forge`] fills a template: `@DIGEST@` with the digest of the root without its signatures, `@VALUE@` with
//! the signature over SignedInfo.

use std::sync::LazyLock;

use mezhved::crypto::{Certificate, KeyKind, Signer as _, sha256};
use mezhved::domain::FaultCode;
use mezhved::{envelope, xml};

use super::kit::{Key, base64, draft, judge, key};

pub(super) static OWN: LazyLock<Key> = LazyLock::new(|| key(KeyKind::P256));
pub(super) static OTHER: LazyLock<Key> = LazyLock::new(|| key(KeyKind::P256));
pub(super) static RSA: LazyLock<Key> = LazyLock::new(|| key(KeyKind::Rsa));

pub(super) const ID: &str = "_01931f6e-7a00-7000-8000-000000000001";
pub(super) const EXC: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// The allowed form, for tests to break in one place.
pub(super) fn good_signature() -> String {
    format!(
        r##"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC}"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/><ds:Reference URI="#{ID}"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="{EXC}"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>@DIGEST@</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>@VALUE@</ds:SignatureValue>@KEYINFO@</ds:Signature>"##
    )
}

pub(super) fn unsigned() -> String {
    String::from_utf8(envelope::compose(&draft()).unwrap()).unwrap()
}

/// The draft with this signature template before its end tag.
pub(super) fn with_signature(signature: &str) -> String {
    unsigned().replace("</e:Envelope>", &format!("{signature}</e:Envelope>"))
}

pub(super) fn key_info(certificate: &Certificate) -> String {
    let der = base64(certificate.der());
    format!("<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>")
}

/// Fills the template and signs it with the key.
pub(super) fn forge(template: &str, key: &Key) -> Vec<u8> {
    let template = template.replace("@KEYINFO@", &key_info(&key.certificate));
    let digest = {
        let document = roxmltree::Document::parse(&template).unwrap();
        let root = document.root_element();
        let signature = root.descendants().find(|n| n.tag_name().name() == "Signature");
        base64(sha256(&xml::canonical_bytes(root, signature)).bytes())
    };
    let template = template.replace("@DIGEST@", &digest);
    let document = roxmltree::Document::parse(&template).unwrap();
    let info = document.descendants().find(|n| n.tag_name().name() == "SignedInfo");
    let value = info.map(|info| base64(&key.signer.sign(&xml::canonical_bytes(info, None)).unwrap()));
    template.replace("@VALUE@", &value.unwrap_or_default()).into_bytes()
}

#[test]
fn the_template_itself_is_accepted() {
    let own = [OWN.certificate.clone()];
    judge(&forge(&with_signature(&good_signature()), &OWN), &own).unwrap();
    let bare = good_signature().replace("@KEYINFO@", "");
    judge(&forge(&with_signature(&bare), &OWN), &own).unwrap();
    let spaced = good_signature().replace("><", ">\r\n  <");
    judge(&forge(&with_signature(&spaced), &OWN), &own).unwrap();
}

/// The name of the defect, what is replaced in the allowed form, by what, and the code.
fn defects() -> Vec<(&'static str, String, String, FaultCode)> {
    use FaultCode::{AlgorithmForbidden, DigestMismatch, NotXml, SignatureInvalid, SignaturePolicy};
    let exc = format!("<ds:Transform Algorithm=\"{EXC}\"/>");
    let enveloped = "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
    let transform = |uri: &str| format!("<ds:Transform Algorithm=\"{uri}\"/>");
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>not(ancestor-or-self::x)</ds:XPath></ds:Transform>";
    let inclusive = format!(
        "<ds:Transform Algorithm=\"{EXC}\"><i:InclusiveNamespaces xmlns:i=\"{EXC}\" PrefixList=\"p\"/></ds:Transform>"
    );
    let method = format!("<ds:CanonicalizationMethod Algorithm=\"{EXC}\"/>");
    let canonicalization = |uri: &str| format!("<ds:CanonicalizationMethod Algorithm=\"{uri}\"/>");
    let inclusive_method = format!(
        "<ds:CanonicalizationMethod Algorithm=\"{EXC}\"><i:InclusiveNamespaces xmlns:i=\"{EXC}\" PrefixList=\"p\"/></ds:CanonicalizationMethod>"
    );
    let ecdsa = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    let uri = format!("URI=\"#{ID}\"");
    let second = format!(
        "<ds:Reference URI=\"\"><ds:Transforms>{exc}</ds:Transforms><ds:DigestMethod Algorithm=\"{sha256}\"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    );
    let data = |inside: &str| format!("<ds:KeyInfo>{inside}</ds:KeyInfo>");
    let own = base64(OWN.certificate.der());
    let certificate = format!("<ds:X509Certificate>{own}</ds:X509Certificate>");
    let row = |name, from: &str, to: &str, code| (name, from.to_owned(), to.to_owned(), code);
    vec![
        row("no transforms", &format!("<ds:Transforms>{enveloped}{exc}</ds:Transforms>"), "", SignaturePolicy),
        row("empty transforms", &format!("{enveloped}{exc}"), "", SignaturePolicy),
        row("only enveloped", &exc, "", SignaturePolicy),
        row("only exclusive", enveloped, "", SignaturePolicy),
        row("transforms swapped", &format!("{enveloped}{exc}"), &format!("{exc}{enveloped}"), SignaturePolicy),
        row("a third transform", &format!("{exc}</ds"), &format!("{exc}{exc}</ds"), SignaturePolicy),
        row("an xpath transform", enveloped, xpath, SignaturePolicy),
        row("an xpath transform between", &exc, &format!("{xpath}{exc}"), SignaturePolicy),
        row("an xslt transform", enveloped, &transform("http://www.w3.org/TR/1999/REC-xslt-19991116"), SignaturePolicy),
        row("a base64 transform", &exc, &transform("http://www.w3.org/2000/09/xmldsig#base64"), SignaturePolicy),
        row(
            "inclusive form as transform",
            &exc,
            &transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            SignaturePolicy,
        ),
        row("with comments", &exc, &transform(&format!("{EXC}WithComments")), SignaturePolicy),
        row("inclusive namespaces", &exc, &inclusive, SignaturePolicy),
        row(
            "text inside a transform",
            &exc,
            &format!("<ds:Transform Algorithm=\"{EXC}\">x</ds:Transform>"),
            SignaturePolicy,
        ),
        row(
            "SignedInfo in inclusive form",
            &method,
            &canonicalization("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            SignaturePolicy,
        ),
        row(
            "SignedInfo in form 1.1",
            &method,
            &canonicalization("http://www.w3.org/2006/12/xml-c14n11"),
            SignaturePolicy,
        ),
        row("SignedInfo with comments", &method, &canonicalization(&format!("{EXC}WithComments")), SignaturePolicy),
        row("SignedInfo with inclusive namespaces", &method, &inclusive_method, SignaturePolicy),
        row("no canonicalization", &method, "", SignaturePolicy),
        row("HMAC", ecdsa, "http://www.w3.org/2000/09/xmldsig#hmac-sha1", AlgorithmForbidden),
        row("HMAC with SHA-256", ecdsa, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", AlgorithmForbidden),
        row("RSA with SHA-1", ecdsa, "http://www.w3.org/2000/09/xmldsig#rsa-sha1", AlgorithmForbidden),
        row("ECDSA with SHA-1", ecdsa, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", AlgorithmForbidden),
        row("RSA-PSS", ecdsa, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", AlgorithmForbidden),
        row("DSA", ecdsa, "http://www.w3.org/2000/09/xmldsig#dsa-sha1", AlgorithmForbidden),
        row("no algorithm at all", &format!(" Algorithm=\"{ecdsa}\""), "", AlgorithmForbidden),
        row(
            "truncated output",
            &format!("{ecdsa}\"/>"),
            &format!("{ecdsa}\"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>"),
            SignaturePolicy,
        ),
        row(
            "another algorithm than the key's",
            ecdsa,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            SignatureInvalid,
        ),
        row("Ed25519 by an ECDSA key", ecdsa, "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519", SignatureInvalid),
        row(
            "another digest of the key",
            ecdsa,
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
            SignatureInvalid,
        ),
        row("SHA-1 digest", sha256, "http://www.w3.org/2000/09/xmldsig#sha1", AlgorithmForbidden),
        row("MD5 digest", sha256, "http://www.w3.org/2001/04/xmldsig-more#md5", AlgorithmForbidden),
        row("another digest algorithm", sha256, "http://www.w3.org/2001/04/xmlenc#sha512", DigestMismatch),
        row("an empty URI", &uri, "URI=\"\"", SignaturePolicy),
        row("no URI", &uri, "", SignaturePolicy),
        row("a part only", &uri, "URI=\"#body\"", SignaturePolicy),
        row("an Id without its sign", &uri, &format!("URI=\"{ID}\""), SignaturePolicy),
        row("a pointer", &uri, "URI=\"#xpointer(/)\"", SignaturePolicy),
        row("a pointer to the Id", &uri, &format!("URI=\"#xpointer(id('{ID}'))\""), SignaturePolicy),
        row("another document", &uri, "URI=\"http://example.org/a.xml\"", SignaturePolicy),
        row("a file", &uri, "URI=\"file:///etc/passwd\"", SignaturePolicy),
        row(
            "a typed reference",
            &uri,
            &format!("{uri} Type=\"http://www.w3.org/2000/09/xmldsig#Manifest\""),
            SignaturePolicy,
        ),
        row("two references", "</ds:SignedInfo>", &second, SignaturePolicy),
        row("an Object", "</ds:Signature>", "<ds:Object Id=\"o\"/></ds:Signature>", SignaturePolicy),
        row("an Object before the value", "<ds:SignatureValue>", "<ds:Object/><ds:SignatureValue>", SignaturePolicy),
        row("text inside the signature", "<ds:SignatureValue>", "x<ds:SignatureValue>", SignaturePolicy),
        row("an unknown attribute", "<ds:SignedInfo>", "<ds:SignedInfo a=\"b\">", SignaturePolicy),
        row(
            "an element of another namespace",
            "<ds:SignedInfo>",
            "<ds:SignedInfo><x xmlns=\"urn:x\"/>",
            SignaturePolicy,
        ),
        row("no value", "<ds:SignatureValue>@VALUE@</ds:SignatureValue>", "", SignaturePolicy),
        row("an empty value", "@VALUE@", "", SignatureInvalid),
        row("a value that is not base64", "@VALUE@", "%%%%", SignaturePolicy),
        row(
            "a DER value",
            "@VALUE@",
            "MEUCIQCrJ1sR3D4EfZ5mJ1sR3D4EfZ5mJ1sR3D4EfZ5mJ1sR3AIgK1sR3D4EfZ5mJ1sR3D4EfZ5mJ1sR3D4EfZ5mJ1sR3D4=",
            SignatureInvalid,
        ),
        row("a value of zeros", "@VALUE@", &base64(&[0; 64]), SignatureInvalid),
        row("a digest that is not base64", "@DIGEST@", "%%%%", SignaturePolicy),
        row("another digest", "@DIGEST@", &base64(&[0; 32]), DigestMismatch),
        row("a short digest", "@DIGEST@", "AAAA", DigestMismatch),
        row("an empty KeyInfo", "@KEYINFO@", "<ds:KeyInfo/>", SignaturePolicy),
        row("a key name", "@KEYINFO@", &data("<ds:KeyName>health</ds:KeyName>"), SignaturePolicy),
        row(
            "a key value",
            "@KEYINFO@",
            &data(
                "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
            ),
            SignaturePolicy,
        ),
        row(
            "a key value beside the certificate",
            "@KEYINFO@",
            &data(&format!("<ds:X509Data>{certificate}</ds:X509Data><ds:KeyValue/>")),
            SignaturePolicy,
        ),
        row(
            "a retrieval method",
            "@KEYINFO@",
            &data("<ds:RetrievalMethod URI=\"http://example.org/k\"/>"),
            SignaturePolicy,
        ),
        row(
            "a subject instead of a certificate",
            "@KEYINFO@",
            &data("<ds:X509Data><ds:X509SubjectName>CN=health</ds:X509SubjectName></ds:X509Data>"),
            SignaturePolicy,
        ),
        row(
            "a subject beside the certificate",
            "@KEYINFO@",
            &data(&format!(
                "<ds:X509Data>{certificate}<ds:X509SubjectName>CN=health</ds:X509SubjectName></ds:X509Data>"
            )),
            SignaturePolicy,
        ),
        row(
            "two certificates",
            "@KEYINFO@",
            &data(&format!("<ds:X509Data>{certificate}{certificate}</ds:X509Data>")),
            SignaturePolicy,
        ),
        row(
            "two X509Data",
            "@KEYINFO@",
            &data(&format!("<ds:X509Data>{certificate}</ds:X509Data><ds:X509Data>{certificate}</ds:X509Data>")),
            SignaturePolicy,
        ),
        row("a security token", "@KEYINFO@", &data("<s:SecurityTokenReference xmlns:s=\"urn:s\"/>"), SignaturePolicy),
        row(
            "a certificate that is not base64",
            "@KEYINFO@",
            &data("<ds:X509Data><ds:X509Certificate>%</ds:X509Certificate></ds:X509Data>"),
            SignaturePolicy,
        ),
        row(
            "a certificate that is none",
            "@KEYINFO@",
            &data("<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>"),
            FaultCode::CertificateUnknown,
        ),
        row(
            "a certificate with a tail",
            "@KEYINFO@",
            &key_info_of(&[OWN.certificate.der(), &[0]].concat()),
            FaultCode::CertificateUnknown,
        ),
        row("another's certificate as hint", "@KEYINFO@", &key_info(&OTHER.certificate), FaultCode::CertificateUnknown),
        row("a prefix that is not declared", "<ds:SignedInfo>", "<ds:SignedInfo q:a=\"b\">", NotXml),
    ]
}

fn key_info_of(der: &[u8]) -> String {
    format!(
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
        base64(der)
    )
}

#[test]
fn every_other_form_of_a_signature_is_refused_by_its_code() {
    for (name, from, to, code) in defects() {
        let good = good_signature();
        assert!(good.contains(&from), "{name}: the allowed form has no {from}");
        let text = with_signature(&good.replacen(&from, &to, 1));
        let bytes = if code == FaultCode::NotXml { text.into_bytes() } else { forge(&text, &OWN) };
        let fault = judge(&bytes, std::slice::from_ref(&OWN.certificate)).expect_err(name);
        assert_eq!(fault.code, code, "{name}: {fault}");
    }
}
