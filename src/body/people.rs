//! People, families, documents and addresses, as `urn:mezhved:common:1` has them.

use chrono::NaiveDate;

use super::codes::{AuthorityDocumentKind, FamilyRole, IdentityDocumentKind, RepresentativeKind, Sex};
use super::content::common;
use super::values::{
    AddressPart, DocumentNumber, DocumentSeries, Email, Line, MemberNumber, NamePart, Number, Oktmo, Phone, PostalCode,
    Snils,
};

common! {
    /// Name of a person.
    PersonName {
        /// Family name.
        family: NamePart = "family",
        /// Given name.
        given: NamePart = "given",
        /// Patronymic, if any.
        patronymic: Option<NamePart> = "patronymic",
    }
}

common! {
    /// An identity document. Series and number of a Russian passport are 4 and 6 digits without spaces (checked by the
    /// gateway).
    IdentityDocument {
        /// Kind of the document.
        kind: IdentityDocumentKind = "kind",
        /// Series, if any.
        series: Option<DocumentSeries> = "series",
        /// Number.
        number: DocumentNumber = "number",
        /// Issued by.
        issued_by: Option<Line> = "issuedBy",
        /// Issued on.
        issued_at: Option<NaiveDate> = "issuedAt",
    }
}

common! {
    /// An address.
    Address {
        /// Postal code.
        postal_code: Option<PostalCode> = "postalCode",
        /// OKTMO code.
        oktmo: Option<Oktmo> = "oktmo",
        /// Region.
        region: Option<Line> = "region",
        /// Locality.
        locality: Line = "locality",
        /// Street.
        street: Option<Line> = "street",
        /// House.
        house: Option<AddressPart> = "house",
        /// Building.
        building: Option<AddressPart> = "building",
        /// Apartment or room.
        apartment: Option<AddressPart> = "apartment",
    }
}

common! {
    /// Telephone numbers and e-mail addresses.
    Contacts {
        /// Telephone number.
        phone: Vec<Phone> = ["phone", 0..=5],
        /// E-mail address.
        email: Vec<Email> = ["email", 0..=5],
    }
}

common! {
    /// A person. A SNILS, or an identity document, or the birth date with an address of residence or stay is needed (a
    /// newborn or a refugee may have no SNILS); the gateway checks this.
    Person {
        /// Name.
        name: PersonName = "name",
        /// Sex.
        sex: Sex = "sex",
        /// Date of birth.
        birth_date: NaiveDate = "birthDate",
        /// SNILS, the individual insurance number.
        snils: Option<Snils> = "snils",
        /// Identity document.
        identity_document: Vec<IdentityDocument> = ["identityDocument", 0..=10],
        /// Address of residence.
        residence_address: Option<Address> = "residenceAddress",
        /// Address of stay.
        stay_address: Option<Address> = "stayAddress",
        /// Contacts.
        contacts: Option<Contacts> = "contacts",
    }
}

common! {
    /// A document that proves a representative's authority.
    AuthorityDocument {
        /// Kind of the document.
        kind: AuthorityDocumentKind = "kind",
        /// Number.
        number: Option<Number> = "number",
        /// Issued by.
        issued_by: Line = "issuedBy",
        /// Issued on.
        issued_at: NaiveDate = "issuedAt",
        /// Valid until this date inclusive.
        valid_until: Option<NaiveDate> = "validUntil",
    }
}

common! {
    /// A representative and the proof of authority. Without "represents" the person, or all members of the family, are
    /// represented.
    Representative {
        /// Kind of representation.
        kind: RepresentativeKind = "kind",
        /// The organisation, if it is the representative.
        organisation: Option<Line> = "organisation",
        /// The representative.
        person: Person = "person",
        /// Number of the family member who is represented.
        represents: Vec<MemberNumber> = ["represents", 0..=20],
        /// Proof of authority.
        authority: AuthorityDocument = "authority",
    }
}

common! {
    /// A family member.
    FamilyMember {
        /// Number within this document; unique within the family.
        number: MemberNumber = "number",
        /// Role in the family.
        role: FamilyRole = "role",
        /// The person.
        person: Person = "person",
    }
}

common! {
    /// A family: members and representatives.
    Family {
        /// Members.
        members: Vec<FamilyMember> = ["members" / "member", 1..=30],
        /// Representatives of members.
        representatives: Option<Vec<Representative>> = ["representatives" / "representative", 1..=20],
    }
}

common! {
    /// The official who prepared or received a document.
    Official {
        /// Name.
        name: Line = "name",
        /// Post.
        post: Line = "post",
        /// Telephone number at work.
        phone: Phone = "phone",
    }
}
