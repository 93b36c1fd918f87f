"""What other implementations say: canonical forms by lxml (libxml2), signatures by signxml and cryptography, schemas by libxml2.

Each command reads jobs as JSON from standard input and writes its answers as JSON to standard output. Binary is base64.
"""

import base64
import json
import sys

from lxml import etree

DS = "{http://www.w3.org/2000/09/xmldsig#}"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ED25519 = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"


def parse(data):
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def exclusive(element):
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)


def detach(element):
    """Takes an element out and leaves the text behind it where it was."""
    parent, tail = element.getparent(), element.tail or ""
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def c14n(jobs):
    answers = []
    for job in jobs:
        try:
            root = parse(base64.b64decode(job["xml"]))
        except etree.XMLSyntaxError as e:
            answers.append({"refused": str(e)})
            continue
        elements = list(root.iter())
        apex = elements[job["apex"]]
        if job["except"] is not None:
            detach(elements[job["except"]])
        try:
            answers.append(base64.b64encode(exclusive(apex)).decode())
        except etree.C14NError as e:
            answers.append({"refused": str(e)})
    return answers


def signxml_verify(jobs):
    from signxml import XMLVerifier

    answers = []
    for job in jobs:
        try:
            found = XMLVerifier().verify(
                base64.b64decode(job["xml"]), x509_cert=job["certificate"], id_attribute="Id", expect_references=1
            )
            answers.append(found.signed_xml.tag)
        except Exception as e:
            answers.append(f"{type(e).__name__}: {e}")
    return answers


def signxml_sign(jobs):
    from signxml import XMLSigner, methods

    answers = []
    for job in jobs:
        signer = XMLSigner(
            method=methods.enveloped,
            signature_algorithm=job["signature"],
            digest_algorithm=job["digest"],
            c14n_algorithm=EXC,
        )
        root = parse(base64.b64decode(job["xml"]))
        signed = signer.sign(
            root, key=job["key"], cert=job["certificate"], reference_uri="#" + root.get("Id"), id_attribute="Id"
        )
        answers.append(base64.b64encode(etree.tostring(signed)).decode())
    return answers


def public_key(certificate):
    from cryptography import x509

    return x509.load_pem_x509_certificate(certificate.encode()).public_key()


def sha256(data):
    import hashlib

    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def ed25519_verify(jobs):
    answers = []
    for job in jobs:
        root = parse(base64.b64decode(job["xml"]))
        signature = root.find(DS + "Signature")
        value = base64.b64decode(signature.findtext(DS + "SignatureValue"))
        info = signature.find(DS + "SignedInfo")
        method = info.find(DS + "SignatureMethod").get("Algorithm")
        claimed = info.findtext(f"{DS}Reference/{DS}DigestValue")
        try:
            public_key(job["certificate"]).verify(value, exclusive(info))
            detach(signature)
            answers.append(method == ED25519 and claimed == sha256(exclusive(root)))
        except Exception as e:
            answers.append(f"{type(e).__name__}: {e}")
    return answers


def ed25519_sign(jobs):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    answers = []
    for job in jobs:
        root = parse(base64.b64decode(job["xml"]))
        digest = sha256(exclusive(root))
        signature = etree.SubElement(root, DS + "Signature", nsmap={"sig": DS[1:-1]})
        info = etree.SubElement(signature, DS + "SignedInfo")
        etree.SubElement(info, DS + "CanonicalizationMethod", Algorithm=EXC)
        etree.SubElement(info, DS + "SignatureMethod", Algorithm=ED25519)
        reference = etree.SubElement(info, DS + "Reference", URI="#" + root.get("Id"))
        transforms = etree.SubElement(reference, DS + "Transforms")
        etree.SubElement(transforms, DS + "Transform", Algorithm=ENVELOPED)
        etree.SubElement(transforms, DS + "Transform", Algorithm=EXC)
        etree.SubElement(reference, DS + "DigestMethod", Algorithm=SHA256)
        etree.SubElement(reference, DS + "DigestValue").text = digest
        key = load_pem_private_key(job["key"].encode(), None)
        value = base64.b64encode(key.sign(exclusive(info))).decode()
        etree.SubElement(signature, DS + "SignatureValue").text = value
        answers.append(base64.b64encode(etree.tostring(root)).decode())
    return answers


def xsd(jobs):
    schemas, answers = {}, []
    for job in jobs:
        name = job["schema"]
        if name not in schemas:
            schemas[name] = etree.XMLSchema(etree.parse(name))
        document = etree.ElementTree(parse(base64.b64decode(job["xml"])))
        fits = schemas[name].validate(document)
        answers.append("" if fits else str(schemas[name].error_log.last_error))
    return answers


COMMANDS = {f.__name__: f for f in (c14n, signxml_verify, signxml_sign, ed25519_verify, ed25519_sign, xsd)}
json.dump(COMMANDS[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
