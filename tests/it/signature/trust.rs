//! Which keys count: those of the signer, in their time, of the closed list.

use mezhved::crypto::{Certificate, KeyKind, generate};
use mezhved::domain::{FaultCode, Timestamp};
use mezhved::{envelope, xml};
use openssl::{
    asn1::Asn1Time, hash::MessageDigest, nid::Nid, pkey::PKey, rsa::Rsa, sign, x509::X509, x509::X509NameBuilder,
};

use super::kit::{base64, draft, from_pems, judge, judge_with};
use super::policy::{OTHER, OWN, RSA, forge, good_signature, key_info, with_signature};

#[test]
fn a_certificate_counts_only_for_its_time() {
    let signed = envelope::sign(&draft(), &OWN.signer).unwrap();
    let bare = forge(&with_signature(&good_signature().replace("@KEYINFO@", "")), &OWN);
    let (first, last) = (OWN.certificate.not_before(), OWN.certificate.not_after());
    for (at, good) in [
        (first.plus_millis(-1), false),
        (first, true),
        (last, true),
        (last.plus_millis(999), true),
        (last.plus_seconds(1), false),
        (Timestamp::from_micros(0), false),
    ] {
        for bytes in [&signed, &bare] {
            let verdict = judge_with(bytes, std::slice::from_ref(&OWN.certificate), at, |_| ()).map_err(|f| f.code);
            assert_eq!(verdict, if good { Ok(()) } else { Err(FaultCode::CertificateExpired) }, "{at}");
        }
    }
}

#[test]
fn only_the_signers_own_certificates_count() {
    let signed = envelope::sign(&draft(), &OWN.signer).unwrap();
    let bare = forge(&with_signature(&good_signature().replace("@KEYINFO@", "")), &OWN);
    let (own, other, rsa) = (OWN.certificate.clone(), OTHER.certificate.clone(), RSA.certificate.clone());
    let expired = {
        let long_ago = Timestamp::parse("2020-01-01T00:00:00Z").unwrap();
        from_pems(generate::key_and_certificate(KeyKind::P256, "old", 30, long_ago).unwrap())
    };
    let by_expired = forge(&with_signature(&good_signature().replace("@KEYINFO@", "")), &expired);
    let old = expired.certificate.clone();
    use FaultCode::{CertificateExpired, CertificateUnknown, SignatureInvalid};
    let rows: Vec<(&str, &[u8], Vec<Certificate>, Result<(), FaultCode>)> = vec![
        ("a hint, registered", &signed, vec![own.clone()], Ok(())),
        ("a hint, while keys rotate", &signed, vec![other.clone(), rsa.clone(), own.clone()], Ok(())),
        ("a hint, another's only", &signed, vec![other.clone()], Err(CertificateUnknown)),
        ("a hint, nothing registered", &signed, vec![], Err(CertificateUnknown)),
        ("no hint, registered", &bare, vec![own.clone()], Ok(())),
        ("no hint, while keys rotate", &bare, vec![other.clone(), rsa.clone(), old.clone(), own.clone()], Ok(())),
        ("no hint, another's only", &bare, vec![other.clone(), rsa], Err(SignatureInvalid)),
        ("no hint, nothing registered", &bare, vec![], Err(CertificateUnknown)),
        ("no hint, by an expired key", &by_expired, vec![other, old, own], Err(CertificateExpired)),
    ];
    for (name, bytes, certificates, expected) in rows {
        assert_eq!(judge(bytes, &certificates).map(|_| ()).map_err(|f| f.code), expected, "{name}");
    }
}

/// Keys outside of the closed list never verify, registered or not.
#[test]
fn weak_and_foreign_keys_are_refused() {
    let curve = |nid| {
        let group = openssl::ec::EcGroup::from_curve_name(nid).unwrap();
        PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap()
    };
    let rows = [
        ("RSA of 1024 bits", PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap(), "rsa-sha256"),
        ("ECDSA on P-521", curve(Nid::SECP521R1), "ecdsa-sha256"),
        ("ECDSA on secp256k1", curve(Nid::SECP256K1), "ecdsa-sha256"),
    ];
    for (name, weak, algorithm) in rows {
        let certificate = {
            let mut subject = X509NameBuilder::new().unwrap();
            subject.append_entry_by_nid(Nid::COMMONNAME, "weak").unwrap();
            let subject = subject.build();
            let mut builder = X509::builder().unwrap();
            builder.set_subject_name(&subject).unwrap();
            builder.set_issuer_name(&subject).unwrap();
            builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
            builder.set_not_after(&Asn1Time::from_unix(4_000_000_000).unwrap()).unwrap();
            builder.set_pubkey(&weak).unwrap();
            builder.sign(&weak, MessageDigest::sha256()).unwrap();
            Certificate::from_pem(&builder.build().to_pem().unwrap()).unwrap()
        };
        assert!(certificate.key_kind().is_err(), "{name}");
        let text = with_signature(
            &good_signature().replace("ecdsa-sha256", algorithm).replace("@KEYINFO@", &key_info(&certificate)),
        );
        // The digest is right and the value is a real signature by the weak key.
        let forged = String::from_utf8(forge(&text.replace("@VALUE@", "@WEAK@"), &OWN)).unwrap();
        let value = {
            let document = roxmltree::Document::parse(&forged).unwrap();
            let info = document.descendants().find(|n| n.tag_name().name() == "SignedInfo").unwrap();
            let mut signer = sign::Signer::new(MessageDigest::sha256(), &weak).unwrap();
            signer.sign_oneshot_to_vec(&xml::canonical_bytes(info, None)).unwrap()
        };
        let forged = forged.replace("@WEAK@", &base64(&value));
        let fault = judge(forged.as_bytes(), &[certificate]).expect_err(name);
        assert_eq!(fault.code, FaultCode::AlgorithmForbidden, "{name}: {fault}");
    }
}
