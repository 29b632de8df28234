"""Ready-made: service, and changes a customer makes."""

from apps.surveys.library.blocks import (
    Entry,
    at_most,
    both,
    ces,
    comment,
    multiple,
    rating,
    said,
    segment,
    single,
    thanks,
    words,
    yes_no,
)

SUPPORT_CONTACT = Entry(
    key="support-contact",
    name=both("Support contact", "Kontakt mit dem Kundenservice"),
    touchpoint=both("After a request has been closed", "Nach Abschluss einer Anfrage"),
    about=both(
        "How easy it was, whether it helped, and what to improve.",
        "Wie einfach es war, ob es geholfen hat und was besser werden soll.",
    ),
    questions=(
        ces(
            both(
                "It was easy to get help with my request.",
                "Es war für mich einfach, Hilfe zu meinem Anliegen zu bekommen.",
            )
        ),
        comment(
            both("What should we improve?", "Was sollten wir verbessern?"),
            promoter=both("What did we do particularly well?", "Was haben wir besonders gut gemacht?"),
            passive=both("What would have made it easier?", "Was hätte es Ihnen leichter gemacht?"),
            detractor=both(
                "We are sorry it was so difficult. What should we improve first?",
                "Es tut uns leid, dass es so mühsam war. Was sollten wir zuerst verbessern?",
            ),
        ),
        yes_no("resolved", both("Is your request resolved?", "Ist Ihr Anliegen gelöst?")),
        rating(
            "effectiveness",
            both("How much did our answer help you?", "Wie gut hat Ihnen unsere Antwort geholfen?"),
            both("not at all", "gar nicht"),
            both("very much", "sehr gut"),
        ),
        rating("friendliness", both("How friendly were we?", "Wie freundlich waren wir?")),
        words(
            "still_open",
            both("What is still open?", "Was ist noch offen?"),
            show_if=said("resolved", False),
        ),
        multiple(
            "improve",
            both("What would have helped you?", "Was hätte Ihnen geholfen?"),
            ("faster", "A faster answer", "Eine schnellere Antwort"),
            ("reachable", "Easier to reach", "Bessere Erreichbarkeit"),
            ("competent", "More knowledge of the matter", "Mehr Fachwissen"),
            ("clear", "A clearer explanation", "Eine verständlichere Erklärung"),
            ("one_person", "One person for everything", "Eine feste Ansprechperson"),
            ("self_service", "Finding the answer myself", "Die Antwort selbst finden zu können"),
            ("other", "Something else", "Etwas anderes"),
            show_if={"any": [segment("passive", "detractor"), at_most("effectiveness", 3)]},
        ),
    ),
    thanks=thanks(
        promoter=both(
            "We pass your words on to the team. If you like, tell others how it went.",
            "Ihr Lob geben wir an das Team weiter. Erzählen Sie gern anderen davon.",
        ),
        detractor=both(
            "This should have been easier. We would like to settle your request in person: may we call you?",
            "Das hätte einfacher sein müssen. Wir möchten Ihr Anliegen persönlich klären: Dürfen wir Sie anrufen?",
        ),
    ),
)

DATA_CHANGE = Entry(
    key="data-change",
    name=both("Change of contact or master data", "Änderung von Kontakt- oder Stammdaten"),
    touchpoint=both(
        "After address, bank details or contract data were changed",
        "Nach der Änderung von Adresse, Bankverbindung oder Vertragsdaten",
    ),
    about=both(
        "Whether the change was easy, and whether everything is right now.",
        "Ob die Änderung einfach war und ob nun alles stimmt.",
    ),
    questions=(
        ces(both("It was easy to change my details.", "Es war für mich einfach, meine Daten zu ändern.")),
        comment(
            both("What should we know about it?", "Was möchten Sie uns dazu mitgeben?"),
            promoter=both("What worked particularly well?", "Was hat besonders gut funktioniert?"),
            passive=both("What would have been easier?", "Was hätte einfacher sein können?"),
            detractor=both("What made the change so laborious?", "Was hat die Änderung so mühsam gemacht?"),
        ),
        single(
            "channel",
            both("How did you make the change?", "Auf welchem Weg haben Sie die Änderung vorgenommen?"),
            ("website", "On the website or in the app", "Auf der Website oder in der App"),
            ("phone", "By telephone", "Am Telefon"),
            ("email", "By e-mail", "Per E-Mail"),
            ("letter", "By letter or form", "Per Brief oder Formular"),
            ("in_person", "In person", "Persönlich vor Ort"),
        ),
        yes_no("correct", both("Is everything correct now?", "Stimmt nun alles?")),
        words(
            "wrong",
            both("What is not right yet?", "Was stimmt noch nicht?"),
            show_if=said("correct", False),
        ),
        single(
            "obstacle",
            both("Where did you lose the most time?", "Womit haben Sie die meiste Zeit verloren?"),
            ("finding", "Finding the right place", "Mit der Suche nach der richtigen Stelle"),
            ("sign_in", "Signing in or proving who I am", "Mit der Anmeldung oder dem Identitätsnachweis"),
            ("form", "The form", "Mit dem Formular"),
            ("waiting", "Waiting", "Mit Warten"),
            ("repeating", "Saying the same thing twice", "Mit mehrfachen Angaben"),
            ("other", "Something else", "Mit etwas anderem"),
            show_if=segment("passive", "detractor"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "That is how it should be. Thank you for keeping your details up to date.",
            "So soll es sein. Danke, dass Sie Ihre Daten aktuell halten.",
        ),
        detractor=both(
            "If something is still not right, we settle it for you: may we call you?",
            "Falls noch etwas nicht stimmt, erledigen wir es für Sie: Dürfen wir Sie anrufen?",
        ),
    ),
)
