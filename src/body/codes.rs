//! Codes of the shared lists and of single messages, as their schemas enumerate them.

use super::content::codes;

codes! {
    /// Kind of a case.
    CaseKind {
        Individual = "individual", Group = "group",
    }

    /// Sex.
    Sex {
        Male = "male", Female = "female",
    }

    /// Kind of a wanted document; its holder and data class are in code-lists/document-kinds.csv.
    DocumentKind {
        MedicalConclusion = "medical-conclusion", MedicalRecordExtract = "medical-record-extract",
        NoContraindications = "no-contraindications", InfectionContacts = "infection-contacts",
        ChildHealthRecord = "child-health-record", NarcologyObservation = "narcology-observation",
        NewbornCertificate = "newborn-certificate", StudyCertificate = "study-certificate",
        PupilCharacteristic = "pupil-characteristic", AttendanceRecord = "attendance-record",
        PreschoolRecord = "preschool-record", PmpkConclusion = "pmpk-conclusion",
        EducationDocument = "education-document", CriminalRecord = "criminal-record",
        AdministrativeOffences = "administrative-offences", ParentsPreventionRecord = "parents-prevention-record",
        MinorPreventionRecord = "minor-prevention-record", ResidenceRegistration = "residence-registration",
        PassportData = "passport-data", GuardianshipAct = "guardianship-act", FosterAgreement = "foster-agreement",
        LivingConditionsAct = "living-conditions-act", ParentalRights = "parental-rights",
        OrphanStatus = "orphan-status", AdoptionRecord = "adoption-record",
        UnemploymentRegistration = "unemployment-registration", UnemploymentBenefit = "unemployment-benefit",
        JobSearchRecord = "job-search-record", VocationalTraining = "vocational-training",
        SocialSupportMeasures = "social-support-measures", LargeFamilyCertificate = "large-family-certificate",
        ServiceProgramme = "service-programme", DisabilityCertificate = "disability-certificate",
        RehabilitationProgramme = "rehabilitation-programme", BirthRecord = "birth-record",
        MarriageRecord = "marriage-record", PensionAmount = "pension-amount", EmploymentRecord = "employment-record",
        IncomeCertificate = "income-certificate", ReleaseCertificate = "release-certificate",
        MinorsCommissionOrder = "minors-commission-order",
    }

    /// Kind of help (442-FZ, article 22).
    HelpKind {
        Medical = "medical", Psychological = "psychological", Pedagogical = "pedagogical", Legal = "legal",
        Social = "social",
    }

    /// Category of a citizen or family.
    Category {
        MinorAtRisk = "minor-at-risk", DisabledPerson = "disabled-person", ElderlyPerson = "elderly-person",
        HomelessPerson = "homeless-person", ReleasedPerson = "released-person",
        WomanInDifficulty = "woman-in-difficulty", PregnantOrWithChildren = "pregnant-or-with-children",
        FamilyInDifficulty = "family-in-difficulty", FamilyAtRisk = "family-at-risk",
        FamilySubstitute = "family-substitute", FamilyDisabledChild = "family-disabled-child",
        FamilyChildSpecialNeeds = "family-child-special-needs", FamilyLarge = "family-large",
        FamilyLowIncome = "family-low-income", FamilyAbandonmentRisk = "family-abandonment-risk",
        FamilySingleParent = "family-single-parent", FamilyDisplaced = "family-displaced",
        FamilyAddiction = "family-addiction", FamilyChildOffender = "family-child-offender",
        FamilyMinorParents = "family-minor-parents",
    }

    /// Kind of an identity document.
    IdentityDocumentKind {
        PassportRf = "passport-rf", BirthCertificate = "birth-certificate",
        ForeignBirthCertificate = "foreign-birth-certificate", PassportRfTravel = "passport-rf-travel",
        TemporaryIdentityCard = "temporary-identity-card", MilitaryId = "military-id",
        ForeignPassport = "foreign-passport", ResidencePermit = "residence-permit",
        TemporaryResidencePermit = "temporary-residence-permit", RefugeeCertificate = "refugee-certificate",
        RefugeeApplication = "refugee-application", TemporaryAsylum = "temporary-asylum",
        ReleaseCertificate = "release-certificate",
    }

    /// Role of a family member.
    FamilyRole {
        Mother = "mother", Father = "father", Child = "child", Spouse = "spouse", Guardian = "guardian",
        FosterParent = "foster-parent", StepParent = "step-parent", Grandparent = "grandparent", Sibling = "sibling",
        Relative = "relative", Other = "other",
    }

    /// Kind of representation.
    RepresentativeKind {
        Parent = "parent", AdoptiveParent = "adoptive-parent", Guardian = "guardian", Trustee = "trustee",
        FosterParent = "foster-parent", Organisation = "organisation", Attorney = "attorney",
    }

    /// Kind of a document that proves a representative's authority.
    AuthorityDocumentKind {
        BirthCertificate = "birth-certificate", AdoptionCertificate = "adoption-certificate",
        GuardianshipAct = "guardianship-act", FosterAgreement = "foster-agreement", CourtDecision = "court-decision",
        PowerOfAttorney = "power-of-attorney", Other = "other",
    }

    /// Urgency of a notice of identification.
    IdentificationUrgency {
        Normal = "normal", Emergency = "emergency",
    }

    /// How the citizen or family became known.
    IdentificationSource {
        Official = "official", Person = "person", Helpline = "helpline", PreventionBody = "prevention-body",
        ApplicationOfOther = "application-of-other",
    }

    /// What a draft decision proposes.
    DraftDecision {
        Recognise = "recognise", Refuse = "refuse",
    }

    /// The order in which a decision is taken.
    DecisionUrgency {
        Ordinary = "ordinary", Palliative = "palliative", Urgent = "urgent",
    }

    /// Outcome of an application.
    DecisionOutcome {
        Recognised = "recognised", Refused = "refused",
    }

    /// State of a programme.
    ProgrammeStatus {
        Draft = "draft", Approved = "approved",
    }

    /// Level of accompaniment.
    Level {
        Adaptation = "adaptation", Basic = "basic", Crisis = "crisis", Emergency = "emergency",
    }

    /// Result of a measure; the codes are those of the progress report.
    MeasureResult {
        InProgress = "in-progress", HelpGiven = "help-given", NoRight = "no-right",
        NotPossibleInPeriod = "not-possible-in-period", DeclinedByCitizen = "declined-by-citizen",
    }

    /// Ground for ending accompaniment.
    TerminationGround {
        ProgrammeDone = "programme-done", TermEnded = "term-ended", CitizenWish = "citizen-wish", Breach = "breach",
        Moved = "moved", Death = "death", Court = "court", ProviderCeased = "provider-ceased", NoNeed = "no-need",
        Other = "other",
    }

    /// Which assessment it is.
    AssessmentStage {
        Interim = "interim", Final = "final",
    }

    /// What an assessment of effectiveness has shown.
    EffectivenessOutcome {
        Positive = "positive", Partial = "partial", None = "none", Worse = "worse",
    }

    /// What the citizen has said of consent.
    ConsentState {
        Given = "given", Refused = "refused", Withdrawn = "withdrawn",
    }

    /// Class of personal data. A route or adapter carries only the classes that it lists.
    DataClass {
        General = "general", Health = "health", CriminalRecord = "criminal-record", Adoption = "adoption",
        Minors = "minors",
    }

    /// What was found in the databank.
    DatabankOutcome {
        Accompanied = "accompanied", NotAccompanied = "not-accompanied", Ambiguous = "ambiguous", Refused = "refused",
    }

    /// Conclusion of the working group on the accompaniment (model programme, 14.3).
    Conclusion {
        Continue = "continue", Terminate = "terminate",
    }

    /// What is handed over with a case.
    HandoverItem {
        PersonalFile = "personal-file", Application = "application", Programme = "programme", Contract = "contract",
        Acts = "acts", Assessments = "assessments", Correspondence = "correspondence", Other = "other",
    }

    /// A measure by kind of help (model programme, 10.1.1-10.1.5). The column help_kind says to which kind of help it
    /// belongs.
    HelpMeasure {
        MedicalDiagnosis = "medical-diagnosis", MedicalTreatment = "medical-treatment",
        MedicalServices = "medical-services", MedicalSocialAssessment = "medical-social-assessment",
        MedicalAddiction = "medical-addiction", MedicalCheckUp = "medical-check-up",
        MedicalMedicines = "medical-medicines", MedicalResortCard = "medical-resort-card",
        MedicalPmpk = "medical-pmpk", MedicalProsthetics = "medical-prosthetics", MedicalOther = "medical-other",
        PsychologicalCorrection = "psychological-correction", PsychologicalInformation = "psychological-information",
        PsychologicalDiagnosis = "psychological-diagnosis", PsychologicalTherapy = "psychological-therapy",
        PsychologicalAdvice = "psychological-advice", PsychologicalSurroundings = "psychological-surroundings",
        PsychologicalSupportGroups = "psychological-support-groups", PsychologicalNewborn = "psychological-newborn",
        PsychologicalOther = "psychological-other", PedagogicalParents = "pedagogical-parents",
        PedagogicalSocialisation = "pedagogical-socialisation", PedagogicalPlace = "pedagogical-place",
        PedagogicalCorrective = "pedagogical-corrective", PedagogicalSchooling = "pedagogical-schooling",
        PedagogicalFamilyClubs = "pedagogical-family-clubs", PedagogicalCourses = "pedagogical-courses",
        PedagogicalVocational = "pedagogical-vocational", PedagogicalTalks = "pedagogical-talks",
        PedagogicalHobbies = "pedagogical-hobbies", PedagogicalLeisure = "pedagogical-leisure",
        PedagogicalCareerGuidance = "pedagogical-career-guidance", PedagogicalSummerRest = "pedagogical-summer-rest",
        PedagogicalOther = "pedagogical-other", LegalPapers = "legal-papers", LegalFreeAid = "legal-free-aid",
        LegalSelfSupport = "legal-self-support", LegalAdvice = "legal-advice", LegalInformation = "legal-information",
        LegalDocuments = "legal-documents", LegalOther = "legal-other", SocialMaterial = "social-material",
        SocialBenefits = "social-benefits", SocialRepair = "social-repair", SocialVouchers = "social-vouchers",
        SocialNurseryCompensation = "social-nursery-compensation", SocialSchoolMeals = "social-school-meals",
        SocialCertificates = "social-certificates", SocialWork = "social-work", SocialOther = "social-other",
    }

    /// Outcome of a request for information without a citizen.
    InformationOutcome {
        Provided = "provided", PartlyProvided = "partly-provided", NoInformation = "no-information",
        Refused = "refused",
    }

    /// A sign of a family that asks for a level of accompaniment (model programme, section II). The column level says
    /// which level.
    LevelSign {
        SubstituteFirstYear = "substitute-first-year", StepParent = "step-parent", YoungFamily = "young-family",
        DisplacedFirstYear = "displaced-first-year", PedagogicalIlliteracy = "pedagogical-illiteracy",
        MemberImprisoned = "member-imprisoned", RightsRestored = "rights-restored",
        ParentDisabled = "parent-disabled", AfterDivorce = "after-divorce",
        SpecialNeedsUnder3 = "special-needs-under-3", SocialContract = "social-contract",
        LowSocialisation = "low-socialisation", EmotionalRejection = "emotional-rejection",
        ParentChildConflicts = "parent-child-conflicts", RestoringRights = "restoring-rights", Divorce = "divorce",
        Neglect = "neglect", Hostility = "hostility", NewbornAbandonment = "newborn-abandonment",
        ReturnRisk = "return-risk", MinorParents = "minor-parents", ParentIllOrDead = "parent-ill-or-dead",
        Disaster = "disaster",
    }

    /// A circumstance for which a family needs accompaniment (model programme, 5.3).
    NeedCircumstance {
        NoWork = "no-work", RelationsCrisis = "relations-crisis", Violence = "violence",
        NoClothesOrFood = "no-clothes-or-food", LivingConditions = "living-conditions",
        LossOfControl = "loss-of-control", MedicalNeed = "medical-need",
        AccessibleSurroundings = "accessible-surroundings", DangerousConflict = "dangerous-conflict",
        Poverty = "poverty", Other = "other",
    }

    /// What a proposal is about.
    ProposalKind {
        JointActivity = "joint-activity", LegalAct = "legal-act", Recommendation = "recommendation",
        Organisation = "organisation", Other = "other",
    }

    /// What a family has refused.
    RefusalScope {
        Accompaniment = "accompaniment", Measures = "measures",
    }

    /// Which materials.
    StatisticsKind {
        Statistics = "statistics", Analysis = "analysis", Other = "other",
    }

    /// Ground of ending accompaniment. It holds all grounds of version 2 (termination-grounds), and those that it
    /// lacks.
    TerminationReason {
        ProgrammeDone = "programme-done", ResultReached = "result-reached", ResultImpossible = "result-impossible",
        TermEnded = "term-ended", CitizenWish = "citizen-wish", FamilyRefusal = "family-refusal",
        BreachByFamily = "breach-by-family", BreachByProvider = "breach-by-provider", Breach = "breach",
        Moved = "moved", Death = "death", Court = "court", ProviderCeased = "provider-ceased", NoNeed = "no-need",
        Other = "other",
    }

    /// A circumstance that worsens, or may worsen, the conditions of life (442-FZ, article 15, part 1, items 1 to 8).
    NeedGround {
        SelfCareLoss = "self-care-loss", DisabledFamilyMember = "disabled-family-member",
        ChildAdaptation = "child-adaptation", NoCare = "no-care", FamilyConflict = "family-conflict",
        Homelessness = "homelessness", NoWorkNoMeans = "no-work-no-means", Regional = "regional",
    }

    /// Where a document comes from.
    DocumentSource {
        Citizen = "citizen", Request = "request",
    }

    /// Outcome for a document.
    DocumentOutcome {
        Provided = "provided", NoInformation = "no-information", Refused = "refused",
    }

    /// Ground of a refusal.
    DocumentRefusal {
        NotIdentified = "not-identified", NoLegalBasis = "no-legal-basis", NotTheHolder = "not-the-holder",
    }
}
