"""Ready-made: website, newsletter and product."""

from apps.surveys.library.blocks import (
    Entry,
    answered,
    both,
    ces,
    comment,
    csat,
    multiple,
    opt_in,
    rating,
    said,
    segment,
    single,
    thanks,
    words,
    yes_no,
)

NEWSLETTER = Entry(
    key="newsletter",
    name=both("Newsletter sign-up", "Newsletter-Anmeldung"),
    touchpoint=both("After signing up for the newsletter", "Nach der Anmeldung zum Newsletter"),
    about=both(
        "How the sign-up went, what readers expect, and how often they want to hear from you.",
        "Wie die Anmeldung lief, was sich Ihre Leserschaft wünscht und wie oft sie von Ihnen hören möchte.",
    ),
    questions=(
        csat(
            both(
                "How satisfied are you with signing up for our newsletter?",
                "Wie zufrieden sind Sie mit der Anmeldung zu unserem Newsletter?",
            )
        ),
        comment(
            both("What would you like to tell us?", "Was möchten Sie uns mitteilen?"),
            promoter=both("What do you look forward to most?", "Worauf freuen Sie sich am meisten?"),
            passive=both("What would have been better?", "Was hätte besser sein können?"),
            detractor=both("What bothered you when signing up?", "Was hat Sie bei der Anmeldung gestört?"),
        ),
        multiple(
            "topics",
            both("What would you like to read about?", "Worüber möchten Sie lesen?"),
            ("news", "New products", "Neuheiten"),
            ("offers", "Offers and promotions", "Angebote und Aktionen"),
            ("tips", "Tips and guides", "Tipps und Ratgeber"),
            ("stories", "A look behind the scenes", "Blicke hinter die Kulissen"),
            ("events", "Events", "Veranstaltungen"),
        ),
        single(
            "frequency",
            both("How often would you like to hear from us?", "Wie oft möchten Sie von uns hören?"),
            ("weekly", "Every week", "Jede Woche"),
            ("monthly", "Once or twice a month", "Ein- bis zweimal im Monat"),
            ("rarely", "Only when there is something special", "Nur bei besonderen Anlässen"),
        ),
        single(
            "source",
            both("How did you come across us?", "Wie sind Sie auf uns aufmerksam geworden?"),
            ("search", "Search engine", "Suchmaschine"),
            ("social", "Social media", "Soziale Medien"),
            ("friends", "Recommendation", "Empfehlung"),
            ("shop", "In a shop or at an event", "Im Geschäft oder auf einer Veranstaltung"),
            ("advertising", "Advertisement", "Werbung"),
            ("other", "Something else", "Anderes"),
        ),
        words(
            "advertisement",
            both("Where did you see the advertisement?", "Wo haben Sie die Werbung gesehen?"),
            show_if=answered("source", "advertising"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "Good to have you with us. If you like, tell others about our newsletter.",
            "Schön, dass Sie dabei sind. Empfehlen Sie unseren Newsletter gern weiter.",
        ),
        detractor=both(
            "The first impression should have been better. If you want to tell us more, may we call you?",
            "Der erste Eindruck hätte besser sein müssen. Möchten Sie uns mehr erzählen? Dürfen wir Sie anrufen?",
        ),
    ),
)

LANDING_PAGE = Entry(
    key="landing-page",
    name=both("Product or landing page", "Produkt- oder Landingpage"),
    touchpoint=both("While visiting a page, by link or button", "Beim Besuch einer Seite, per Link oder Schaltfläche"),
    about=both(
        "Whether visitors find what they look for, and what is missing.",
        "Ob Besucherinnen und Besucher finden, was sie suchen, und was fehlt.",
    ),
    questions=(
        ces(
            both(
                "The information I was looking for was easy to find.",
                "Die Informationen, die ich gesucht habe, waren leicht zu finden.",
            )
        ),
        comment(
            both("What would make this page better?", "Was würde diese Seite besser machen?"),
            promoter=both("What do you like about this page?", "Was gefällt Ihnen an dieser Seite?"),
            passive=both("What could be clearer?", "Was könnte klarer sein?"),
            detractor=both("What were you looking for in vain?", "Was haben Sie vergeblich gesucht?"),
        ),
        single(
            "goal",
            both("What were you looking for?", "Wonach haben Sie gesucht?"),
            ("price", "Price and terms", "Preis und Konditionen"),
            ("features", "Features and details", "Eigenschaften und Details"),
            ("availability", "Availability and delivery", "Verfügbarkeit und Lieferung"),
            ("comparison", "A comparison of products", "Einen Produktvergleich"),
            ("reviews", "What others say", "Erfahrungen anderer"),
            ("help", "Help or contact", "Hilfe oder Kontakt"),
            ("browsing", "I am just looking around.", "Ich sehe mich nur um."),
        ),
        single(
            "found",
            both("Did you find it?", "Haben Sie es gefunden?"),
            ("yes", "Yes", "Ja"),
            ("partly", "In part", "Teilweise"),
            ("no", "No", "Nein"),
            show_if={"field": "answer.goal", "op": "ne", "value": "browsing"},
        ),
        words(
            "missing",
            both("Which information is missing?", "Welche Informationen fehlen?"),
            show_if=answered("found", "partly", "no"),
        ),
        rating(
            "clarity",
            both("How easy to understand are the texts?", "Wie verständlich sind die Texte?"),
            both("hard to understand", "schwer verständlich"),
            both("very easy to understand", "sehr gut verständlich"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "Good that you found your way. If the page is of use to others, pass it on.",
            "Schön, dass Sie sich gut zurechtgefunden haben. Teilen Sie die Seite gern mit anderen.",
        ),
        detractor=both(
            "If you are still looking for something, we gladly help in person: may we call you?",
            "Falls Sie noch etwas suchen, helfen wir Ihnen gern persönlich: Dürfen wir Sie anrufen?",
        ),
    ),
)

PRODUCT_UPDATE = Entry(
    key="product-update",
    name=both("Product update", "Produkt-Update"),
    touchpoint=both("Some days after a new version", "Einige Tage nach einer neuen Version"),
    about=both(
        "How a new version is received, whether it is of use, and where it gets in the way.",
        "Wie eine neue Version ankommt, ob sie nützt und wo sie stört.",
    ),
    questions=(
        csat(both("How satisfied are you with the new version?", "Wie zufrieden sind Sie mit der neuen Version?")),
        comment(
            both("What is the main reason for your answer?", "Was ist der wichtigste Grund für Ihre Antwort?"),
            promoter=both("Which change helps you most?", "Welche Änderung hilft Ihnen am meisten?"),
            passive=both("What is still missing?", "Was fehlt noch?"),
            detractor=both("What has become worse for you?", "Was ist für Sie schlechter geworden?"),
        ),
        rating(
            "usefulness",
            both("How useful are the changes for your work?", "Wie nützlich sind die Änderungen für Ihre Arbeit?"),
            both("not useful", "nicht nützlich"),
            both("very useful", "sehr nützlich"),
        ),
        rating(
            "transition",
            both("How easy was the change to the new version?", "Wie leicht fiel Ihnen die Umstellung?"),
            both("very hard", "sehr schwer"),
            both("very easy", "sehr leicht"),
        ),
        yes_no(
            "broken",
            both(
                "Is anything not working that worked before?",
                "Funktioniert etwas nicht mehr, das vorher funktioniert hat?",
            ),
        ),
        words(
            "broken_what",
            both(
                "What is it? The more exactly, the sooner we mend it.",
                "Was ist es? Je genauer, desto schneller beheben wir es.",
            ),
            show_if=said("broken", True),
        ),
        multiple(
            "learning",
            both("What would make the change easier for you?", "Was würde Ihnen die Umstellung erleichtern?"),
            ("video", "A short video", "Ein kurzes Video"),
            ("guide", "A written guide", "Eine schriftliche Anleitung"),
            ("training", "A training session", "Eine Schulung"),
            ("contact", "Somebody to ask", "Eine Ansprechperson"),
            ("nothing", "Nothing, thank you", "Nichts, danke"),
            show_if={"any": [segment("passive", "detractor"), {"field": "answer.transition", "op": "le", "value": 3}]},
        ),
        opt_in(
            "early_access",
            both(
                "Yes, you may invite me by e-mail to try new features early. I can withdraw this at any time.",
                "Ja, Sie dürfen mich per E-Mail einladen, neue Funktionen vorab zu testen. Ich kann das jederzeit "
                "widerrufen.",
            ),
            show_if=segment("promoter", "passive"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "We are glad that the new version suits you. A word to colleagues or a review helps us a lot.",
            "Schön, dass Ihnen die neue Version hilft. Ein Wort im Kollegenkreis oder eine Bewertung hilft uns sehr.",
        ),
        detractor=both(
            "An update should be a step forward. We would like to see with you what is in the way: may we call you?",
            "Ein Update soll ein Fortschritt sein. Gern sehen wir uns gemeinsam an, was stört: Dürfen wir Sie anrufen?",
        ),
    ),
)
