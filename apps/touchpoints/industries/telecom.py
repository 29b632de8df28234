"""Telecommunications: mobile and internet contracts."""

from apps.touchpoints.industries.base import CUSTOMER, Industry, phase, point

TELECOM = Industry(
    key="telecom",
    name={"en": "Telecommunications", "de": "Telekommunikation"},
    about={
        "en": "From comparing tariffs to staying or leaving, with activation, faults and every step of the bill.",
        "de": "Vom Tarifvergleich bis zum Bleiben oder Gehen, mit Anschluss, Störung und jedem Schritt der Rechnung.",
    },
    phases=(
        phase(
            "awareness", "Awareness", "Aufmerksamkeit",
            point("ad_seen", "Advertisement seen", "Werbung gesehen"),
            point("coverage_checked", "Availability checked", "Verfügbarkeit geprüft"),
        ),
        phase(
            "choice", "Choice", "Auswahl",
            point("tariff_compared", "Tariffs compared", "Tarife verglichen"),
            point("shop_advice", "Advice in the shop or by phone", "Beratung im Shop oder am Telefon"),
        ),
        phase(
            "contract", "Contract", "Vertrag",
            point("contract_signed", "Contract signed", "Vertrag abgeschlossen", CUSTOMER),
            point("number_ported", "Number brought along", "Rufnummer mitgenommen", CUSTOMER),
        ),
        phase(
            "activation", "Activation", "Anschluss",
            point("hardware_delivered", "SIM card or router delivered", "SIM-Karte oder Router geliefert", CUSTOMER),
            point("technician_visited", "Technician was there", "Technikertermin erledigt", CUSTOMER),
            point("line_activated", "Line activated", "Anschluss freigeschaltet", CUSTOMER),
        ),
        phase(
            "billing", "Billing", "Rechnung",
            phase("billing_invoice", "Invoice", "Rechnungsstellung",
                  point("first_invoice", "First invoice sent", "Erste Rechnung verschickt", CUSTOMER),
                  point("invoice_sent", "Invoice sent", "Rechnung verschickt", CUSTOMER)),
            phase("billing_explanation", "Explanation", "Erläuterung",
                  point("invoice_viewed", "Invoice opened", "Rechnung angesehen", CUSTOMER),
                  point("invoice_explained", "Invoice explained by service", "Rechnung vom Service erklärt", CUSTOMER),
                  point("invoice_disputed", "Objection to an invoice settled", "Rechnungseinwand geklärt", CUSTOMER)),
            phase("billing_payment", "Payment", "Bezahlung",
                  point("payment_received", "Payment received", "Zahlung eingegangen", CUSTOMER),
                  point("payment_reminder", "Payment reminder sent", "Mahnung verschickt", CUSTOMER)),
        ),
        phase(
            "service", "Service and faults", "Service und Störung",
            point("hotline_call", "Call to the hotline", "Anruf bei der Hotline"),
            point("fault_reported", "Fault reported", "Störung gemeldet", CUSTOMER),
            point("fault_fixed", "Fault fixed", "Störung behoben", CUSTOMER),
            point("house_moved", "Moved house with the line", "Anschluss bei Umzug mitgenommen", CUSTOMER),
        ),
        phase(
            "renewal", "Staying or leaving", "Bleiben oder gehen",
            point("contract_renewed", "Contract extended", "Vertrag verlängert", CUSTOMER),
            point("contract_cancelled", "Contract cancelled", "Vertrag gekündigt", CUSTOMER),
        ),
    ),
)  # fmt: skip
