"""Klarwerk's journey, and what is asked where. As plain data."""

from datetime import timedelta

from apps.workspace.demo.blueprint import Driver, Option, StageSpec, SurveySpec, TouchpointSpec, both

STAGES = (
    StageSpec(
        "evaluation",
        both("Evaluation", "Auswahl"),
        (TouchpointSpec("trial_started", both("Trial started", "Test begonnen")),),
    ),
    StageSpec(
        "purchase",
        both("Purchase", "Kauf"),
        (TouchpointSpec("contract_signed", both("Contract signed", "Vertrag geschlossen"), proves_customer=True),),
    ),
    StageSpec(
        "onboarding",
        both("Onboarding", "Einführung"),
        (
            TouchpointSpec(
                "onboarding_finished", both("Onboarding finished", "Einführung abgeschlossen"), proves_customer=True
            ),
        ),
    ),
    StageSpec(
        "use",
        both("Use and support", "Nutzung und Support"),
        (
            TouchpointSpec("support_closed", both("Support contact", "Kontakt mit dem Support"), proves_customer=True),
            TouchpointSpec(
                "major_update", both("Major update installed", "Großes Update eingespielt"), proves_customer=True
            ),
        ),
    ),
    StageSpec(
        "billing",
        both("Billing", "Abrechnung"),
        steps=(
            StageSpec(
                "invoice",
                both("Invoice", "Rechnung"),
                (TouchpointSpec("invoice_sent", both("Invoice received", "Rechnung erhalten"), proves_customer=True),),
            ),
            StageSpec(
                "payment",
                both("Payment", "Zahlung"),
                (TouchpointSpec("payment_made", both("Invoice paid", "Rechnung bezahlt"), proves_customer=True),),
            ),
        ),
    ),
    StageSpec(
        "retention",
        both("Retention", "Bindung"),
        (
            TouchpointSpec("renewal", both("Contract renewed", "Vertrag verlängert"), proves_customer=True),
            TouchpointSpec("upgrade", both("Plan upgraded", "Tarif erweitert"), proves_customer=True),
        ),
    ),
    StageSpec(
        "advocacy",
        both("Advocacy", "Empfehlung"),
        (TouchpointSpec("reference_given", both("Reference given", "Referenz gegeben")),),
    ),
)

SURVEYS = (
    SurveySpec(
        key="support",
        name=both("After a support contact", "Nach einem Kontakt mit dem Support"),
        comment=both("What should we improve?", "Was sollten wir verbessern?"),
        drivers=(
            Driver("help_effectiveness", both("How effective was our help?", "Wie wirksam war unsere Hilfe?"), 1.3),
            Driver("response_time", both("How quickly did we reply?", "Wie schnell haben wir geantwortet?"), 1.1),
        ),
        touchpoint="support_closed",
        rule="After a support contact",
        delay=timedelta(hours=1),
        answer_rate=0.36,
        base=8.5,
        priority=10,
        reasons=(
            Option("unsolved", both("It is not solved", "Es ist nicht gelöst"), 1.2, "help_effectiveness"),
            Option("slow", both("I waited too long", "Ich habe zu lange gewartet"), 1.0, "response_time"),
            Option("jargon", both("I did not understand the answer", "Ich habe die Antwort nicht verstanden"), 2.0),
        ),
    ),
    SurveySpec(
        key="onboarding",
        name=both("After onboarding", "Nach der Einführung"),
        comment=both("What would have made the start easier?", "Was hätte den Start leichter gemacht?"),
        drivers=(
            Driver("ease_of_use", both("How easy is Klarwerk to use?", "Wie leicht ist Klarwerk zu bedienen?"), 1.2),
            Driver("documentation", both("How helpful is the manual?", "Wie hilfreich ist das Handbuch?"), 0.9),
        ),
        touchpoint="onboarding_finished",
        rule="After onboarding",
        delay=timedelta(days=1),
        answer_rate=0.42,
        base=8.5,
    ),
    SurveySpec(
        key="renewal",
        name=both("At renewal", "Zur Verlängerung"),
        comment=both("What is the main reason for your score?", "Was ist der Hauptgrund für Ihre Bewertung?"),
        drivers=(
            Driver("reliability", both("How reliable is Klarwerk?", "Wie zuverlässig ist Klarwerk?"), 1.2),
            Driver("value", both("Is it worth its price?", "Ist es seinen Preis wert?"), 1.0),
        ),
        touchpoint="renewal",
        also=("contract_signed", "upgrade"),
        rule="After a contract was signed, renewed or extended",
        delay=timedelta(days=2),
        answer_rate=0.33,
        base=8.4,
    ),
    SurveySpec(
        key="update",
        name=both("After a major update", "Nach einem großen Update"),
        comment=both("What did the update change for you?", "Was hat das Update für Sie verändert?"),
        drivers=(
            Driver("reliability", both("How reliable is Klarwerk now?", "Wie zuverlässig ist Klarwerk jetzt?"), 1.3),
            Driver("ease_of_use", both("How easy is Klarwerk to use?", "Wie leicht ist Klarwerk zu bedienen?"), 0.8),
        ),
        touchpoint="major_update",
        rule="After a major update",
        delay=timedelta(days=5),
        answer_rate=0.3,
        base=8.5,
    ),
    SurveySpec(
        key="billing",
        name=both("After an invoice", "Nach einer Rechnung"),
        comment=both("What should be clearer or easier?", "Was sollte klarer oder einfacher sein?"),
        drivers=(
            Driver("invoice_clarity", both("How clear was the invoice?", "Wie verständlich war die Rechnung?"), 1.2),
            Driver("payment_ease", both("How easy was it to pay?", "Wie einfach war das Bezahlen?"), 0.9),
        ),
        touchpoint="invoice_sent",
        also=("payment_made",),
        rule="After an invoice or a payment",
        delay=timedelta(days=1),
        answer_rate=0.38,
        base=8.5,
        percent=55,
        satisfaction=both("How satisfied are you with our billing?", "Wie zufrieden sind Sie mit der Abrechnung?"),
        reasons=(
            Option("items", both("The items are not clear", "Die Posten sind unklar"), 1.3, "invoice_clarity"),
            Option(
                "seats", both("The number of seats was wrong", "Die Zahl der Plätze war falsch"), 0.9, "invoice_clarity"
            ),
            Option("late", both("The invoice came too late", "Die Rechnung kam zu spät"), 1.2),
            Option("ways", both("Our way to pay is missing", "Unsere Zahlungsart fehlt"), 0.8, "payment_ease"),
        ),
    ),
)

RELATION = SurveySpec(
    key="year",
    name=both("Your year with us", "Ihr Jahr mit uns"),
    comment=both("What is the main reason for your score?", "Was ist der Hauptgrund für Ihre Bewertung?"),
    drivers=(
        Driver("reliability", both("How reliable is Klarwerk?", "Wie zuverlässig ist Klarwerk?"), 0.5),
        Driver("value", both("Is it worth its price?", "Ist es seinen Preis wert?"), 0.4),
    ),
    touchpoint="",
    rule="Plus, once a year",
    delay=timedelta(0),
    answer_rate=0.44,
    base=8.3,
    memory={"support_closed": 0.55},
)
