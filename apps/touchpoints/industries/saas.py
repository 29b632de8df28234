"""Software as a service: sold by subscription, to companies."""

from apps.touchpoints.industries.base import CUSTOMER, Industry, phase, point

SAAS = Industry(
    key="saas",
    name={"en": "Software as a service", "de": "Software als Dienst (SaaS)"},
    about={
        "en": "From the first visit to the renewal, with trial, onboarding, support and billing.",
        "de": "Vom ersten Besuch bis zur Verlängerung, mit Testphase, Einführung, Support und Abrechnung.",
    },
    phases=(
        phase(
            "awareness", "Awareness", "Aufmerksamkeit",
            point("website_visited", "Website visited", "Website besucht"),
            point("webinar_attended", "Webinar attended", "Webinar besucht"),
        ),
        phase(
            "evaluation", "Evaluation", "Prüfung",
            point("demo_held", "Product shown", "Produkt vorgeführt"),
            point("trial_started", "Trial started", "Testphase begonnen"),
            point("trial_ended", "Trial ended", "Testphase beendet"),
        ),
        phase(
            "purchase", "Purchase", "Kauf",
            point("offer_sent", "Offer sent", "Angebot verschickt"),
            point("contract_signed", "Contract signed", "Vertrag geschlossen", CUSTOMER),
        ),
        phase(
            "onboarding", "Onboarding", "Einführung",
            phase("setup", "Setup", "Einrichtung",
                  point("kickoff_held", "Kick-off held", "Auftaktgespräch geführt", CUSTOMER),
                  point("data_imported", "Data brought in", "Daten übernommen", CUSTOMER)),
            phase("training", "Training", "Schulung",
                  point("training_done", "Training held", "Schulung durchgeführt", CUSTOMER),
                  point("onboarding_done", "Onboarding finished", "Einführung abgeschlossen", CUSTOMER)),
        ),
        phase(
            "use", "Use", "Nutzung",
            point("first_result", "First result reached", "Erstes Ergebnis erreicht", CUSTOMER),
            point("feature_used", "New feature used", "Neue Funktion genutzt", CUSTOMER),
            point("ticket_solved", "Support ticket solved", "Supportanfrage gelöst", CUSTOMER),
            point("incident_over", "Outage over", "Störung behoben", CUSTOMER),
            point("success_review", "Review with customer success", "Gespräch mit der Kundenbetreuung", CUSTOMER),
        ),
        phase(
            "billing", "Billing", "Abrechnung",
            point("invoice_sent", "Invoice sent", "Rechnung verschickt", CUSTOMER),
            point("invoice_explained", "Invoice explained", "Rechnung erläutert", CUSTOMER),
            point("payment_received", "Payment received", "Zahlung eingegangen", CUSTOMER),
        ),
        phase(
            "renewal", "Renewal and growth", "Verlängerung und Ausbau",
            point("contract_renewed", "Contract renewed", "Vertrag verlängert", CUSTOMER),
            point("plan_upgraded", "Changed to a larger plan", "In größeren Tarif gewechselt", CUSTOMER),
            point("contract_cancelled", "Contract cancelled", "Vertrag gekündigt", CUSTOMER),
        ),
    ),
)  # fmt: skip
