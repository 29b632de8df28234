"""Insurance: private and business policies."""

from apps.touchpoints.industries.base import CUSTOMER, Industry, phase, point

INSURANCE = Industry(
    key="insurance",
    name={"en": "Insurance", "de": "Versicherung"},
    about={
        "en": "From the first question to the renewal, with application, premium and every step of a claim.",
        "de": "Von der ersten Frage bis zur Verlängerung, mit Antrag, Beitrag und jedem Schritt im Schadenfall.",
    },
    phases=(
        phase(
            "awareness", "Awareness", "Aufmerksamkeit",
            point("portal_compared", "Compared on a portal", "Auf einem Vergleichsportal verglichen"),
            point("calculator_used", "Premium calculated", "Beitrag berechnet"),
        ),
        phase(
            "advice", "Advice", "Beratung",
            point("advice_given", "Advice given", "Beratungsgespräch geführt"),
            point("offer_sent", "Offer sent", "Angebot verschickt"),
        ),
        phase(
            "policy", "Policy", "Vertrag",
            point("application_received", "Application received", "Antrag eingegangen"),
            point("policy_issued", "Policy issued", "Police ausgestellt", CUSTOMER),
            point("welcome_sent", "Welcome sent", "Begrüßung verschickt", CUSTOMER),
        ),
        phase(
            "premium", "Premium", "Beitrag",
            phase("premium_invoice", "Premium invoice", "Beitragsrechnung",
                  point("premium_invoice_sent", "Premium invoice sent", "Beitragsrechnung verschickt", CUSTOMER),
                  point("premium_changed", "Change of premium explained", "Beitragsanpassung erläutert", CUSTOMER)),
            phase("premium_payment", "Payment", "Zahlung",
                  point("premium_paid", "Premium paid", "Beitrag bezahlt", CUSTOMER),
                  point("premium_reminder", "Payment reminder sent", "Zahlungserinnerung verschickt", CUSTOMER)),
        ),
        phase(
            "care", "Care", "Betreuung",
            point("question_answered", "Question answered", "Anliegen beantwortet"),
            point("policy_changed", "Policy changed", "Vertrag geändert", CUSTOMER),
            point("yearly_talk", "Yearly talk held", "Jahresgespräch geführt", CUSTOMER),
        ),
        phase(
            "claim", "Claim", "Schaden",
            phase("claim_report", "Report", "Meldung",
                  point("claim_reported", "Claim reported", "Schaden gemeldet", CUSTOMER),
                  point("claim_confirmed", "Report confirmed", "Schadenmeldung bestätigt", CUSTOMER)),
            phase("claim_decision", "Decision", "Prüfung",
                  point("assessor_visited", "Assessor was there", "Gutachtertermin erledigt", CUSTOMER),
                  point("claim_decided", "Claim decided", "Schaden entschieden", CUSTOMER)),
            phase("claim_payment", "Payment", "Auszahlung",
                  point("claim_paid", "Claim paid", "Entschädigung ausgezahlt", CUSTOMER)),
        ),
        phase(
            "renewal", "Renewal", "Verlängerung",
            point("policy_renewed", "Policy renewed", "Vertrag verlängert", CUSTOMER),
            point("policy_cancelled", "Policy cancelled", "Vertrag gekündigt", CUSTOMER),
        ),
    ),
)  # fmt: skip
