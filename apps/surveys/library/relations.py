"""Ready-made: the relationship over the years, its renewal and its end."""

from apps.surveys.library.blocks import (
    Entry,
    answered,
    at_most,
    both,
    comment,
    multiple,
    nps,
    rating,
    segment,
    single,
    thanks,
    words,
)

_RECOMMEND = both(
    "How likely are you to recommend us to friends or colleagues?",
    "Wie wahrscheinlich ist es, dass Sie uns im Freundes- oder Kollegenkreis weiterempfehlen?",
)

RELATIONSHIP = Entry(
    key="relationship",
    name=both("Yearly relationship survey", "Jährliche Kundenbefragung"),
    touchpoint=both("Once a year, without an occasion", "Einmal im Jahr, ohne Anlass"),
    about=both(
        "The whole relationship: recommendation, what carries it, and what should come first next year.",
        "Die Beziehung als Ganzes: Weiterempfehlung, was sie trägt und was im nächsten Jahr zuerst kommen soll.",
    ),
    questions=(
        nps(
            both(
                "Looking at the past year as a whole: how likely are you to recommend us to friends or colleagues?",
                "Wenn Sie das vergangene Jahr insgesamt betrachten: Wie wahrscheinlich ist es, dass Sie uns im "
                "Freundes- oder Kollegenkreis weiterempfehlen?",
            )
        ),
        comment(
            both("What is the main reason for your score?", "Was ist der wichtigste Grund für Ihre Bewertung?"),
            promoter=both("What do you value most about us?", "Was schätzen Sie an uns am meisten?"),
            passive=both("What would make us your first choice?", "Was würde uns zu Ihrer ersten Wahl machen?"),
            detractor=both(
                "What has disappointed you most this year?", "Was hat Sie in diesem Jahr am meisten enttäuscht?"
            ),
        ),
        rating("products", both("Our products and services", "Unsere Produkte und Leistungen")),
        rating("support", both("Advice and service", "Beratung und Service")),
        rating("reachability", both("How easily you reach us", "Unsere Erreichbarkeit")),
        rating("value", both("Value for money", "Das Preis-Leistungs-Verhältnis")),
        rating("trust", both("Reliability: we keep what we promise", "Verlässlichkeit: Wir halten, was wir zusagen")),
        single(
            "value_reason",
            both("What bothers you about the price?", "Was stört Sie am Preis?"),
            ("level", "It is too high altogether.", "Er ist insgesamt zu hoch."),
            ("increase", "The last increase", "Die letzte Erhöhung"),
            ("clarity", "It is hard to understand.", "Er ist schwer zu durchschauen."),
            ("competitors", "Others offer more for it.", "Andere bieten mehr dafür."),
            ("other", "Something else", "Etwas anderes"),
            show_if=at_most("value", 2),
        ),
        multiple(
            "priorities",
            both("What should we work on first next year?", "Woran sollten wir im nächsten Jahr zuerst arbeiten?"),
            ("quality", "Quality", "Qualität"),
            ("speed", "Speed", "Schnelligkeit"),
            ("service", "Service and advice", "Service und Beratung"),
            ("digital", "Website, app and online services", "Website, App und Online-Angebote"),
            ("price", "Prices", "Preise"),
            ("sustainability", "Sustainability", "Nachhaltigkeit"),
            ("other", "Something else", "Etwas anderes"),
        ),
        words(
            "one_wish",
            both(
                "If you had one wish: what would we change?",
                "Wenn Sie einen Wunsch frei hätten: Was würden wir ändern?",
            ),
            show_if=segment("passive", "detractor"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "Customers like you carry us. We are glad of every recommendation, to friends or in a review.",
            "Kundinnen und Kunden wie Sie tragen uns. Wir freuen uns über jede Empfehlung, gern auch als Bewertung.",
        ),
        detractor=both(
            "We would like to win back your trust and hear more: may we call you?",
            "Wir möchten Ihr Vertrauen zurückgewinnen und mehr erfahren: Dürfen wir Sie anrufen?",
        ),
    ),
)

RENEWAL = Entry(
    key="renewal",
    name=both("Renewal", "Verlängerung"),
    touchpoint=both("After a contract or subscription was renewed", "Nach der Verlängerung eines Vertrags oder Abos"),
    about=both(
        "Why customers stay, and what could make them leave next time.",
        "Warum Kundinnen und Kunden bleiben und was sie beim nächsten Mal gehen lassen könnte.",
    ),
    questions=(
        nps(
            both(
                "You stay with us, thank you! How likely are you to recommend us to friends or colleagues?",
                "Sie bleiben bei uns – vielen Dank! Wie wahrscheinlich ist es, dass Sie uns im Freundes- oder "
                "Kollegenkreis weiterempfehlen?",
            )
        ),
        comment(
            both("What is the main reason for your score?", "Was ist der wichtigste Grund für Ihre Bewertung?"),
            promoter=both("What convinces you about us?", "Was überzeugt Sie an uns?"),
            passive=both(
                "What would you like to see by the next renewal?",
                "Was wünschen Sie sich bis zur nächsten Verlängerung?",
            ),
            detractor=both(
                "You stay, and yet you are not satisfied. What must change?",
                "Sie bleiben und sind doch nicht zufrieden. Was muss sich ändern?",
            ),
        ),
        multiple(
            "reasons",
            both("Why did you renew?", "Warum haben Sie verlängert?"),
            ("benefit", "I use it a lot.", "Ich nutze es viel."),
            ("price", "The price is right.", "Der Preis stimmt."),
            ("service", "I am in good hands.", "Ich fühle mich gut betreut."),
            ("effort", "Changing would be too much work.", "Ein Wechsel wäre zu aufwendig."),
            ("no_alternative", "I have found nothing better.", "Ich habe nichts Besseres gefunden."),
            ("automatic", "It renewed by itself.", "Der Vertrag hat sich automatisch verlängert."),
        ),
        rating("value", both("Value for money", "Das Preis-Leistungs-Verhältnis")),
        single(
            "considered_leaving",
            both("Had you thought of leaving?", "Hatten Sie überlegt zu kündigen?"),
            ("no", "No", "Nein"),
            ("briefly", "Briefly", "Kurz"),
            ("seriously", "Seriously", "Ernsthaft"),
        ),
        words(
            "leaving_reason",
            both("What made you think of it?", "Was hat Sie darüber nachdenken lassen?"),
            show_if=answered("considered_leaving", "briefly", "seriously"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "Here is to the next term! If you know somebody we would suit as well, tell them about us.",
            "Schön, dass Sie bleiben! Kennen Sie jemanden, zu dem wir auch passen? Empfehlen Sie uns gern.",
        ),
        detractor=both(
            "You have placed your trust in us once more, and we want to deserve it. May we call you?",
            "Sie haben uns noch einmal Ihr Vertrauen geschenkt, und das möchten wir verdienen. Dürfen wir Sie anrufen?",
        ),
    ),
)

CANCELLATION = Entry(
    key="cancellation",
    name=both("Cancellation", "Kündigung"),
    touchpoint=both("Right after a cancellation", "Direkt nach einer Kündigung"),
    about=both(
        "Why customers leave, what would have kept them, and an offer to talk.",
        "Warum Kundinnen und Kunden gehen, was sie gehalten hätte, und ein Gesprächsangebot.",
    ),
    questions=(
        nps(
            both(
                "We are sorry that you are leaving. " + _RECOMMEND["en"],
                "Schade, dass Sie gehen. " + _RECOMMEND["de"],
            )
        ),
        comment(
            both("What should we know about your decision?", "Was möchten Sie uns zu Ihrer Entscheidung sagen?"),
            promoter=both(
                "You would still recommend us. What did you like?",
                "Sie würden uns trotzdem empfehlen. Was hat Ihnen gefallen?",
            ),
            passive=both("What was missing in the end?", "Was hat am Ende gefehlt?"),
            detractor=both("What did we get wrong?", "Was haben wir falsch gemacht?"),
        ),
        single(
            "reason",
            both("What was the main reason for leaving?", "Was war der wichtigste Grund für Ihre Kündigung?"),
            ("price", "The price", "Der Preis"),
            ("no_need", "I do not need it any more.", "Ich brauche es nicht mehr."),
            ("missing", "Something important was missing.", "Etwas Wichtiges hat gefehlt."),
            ("quality", "The quality or reliability", "Die Qualität oder Zuverlässigkeit"),
            ("service", "The service", "Der Service"),
            ("competitor", "A better offer elsewhere", "Ein besseres Angebot bei einem anderen Anbieter"),
            ("other", "Something else", "Etwas anderes"),
        ),
        words(
            "missing_what",
            both("What was missing?", "Was hat Ihnen gefehlt?"),
            show_if=answered("reason", "missing"),
        ),
        words(
            "competitor_why",
            both("What do others do better?", "Was machen andere besser?"),
            show_if=answered("reason", "competitor"),
        ),
        words(
            "other_reason",
            both("What was it?", "Was war es?"),
            show_if=answered("reason", "other"),
        ),
        words(
            "kept_by",
            both("What would have kept you?", "Was hätte Sie zum Bleiben bewogen?"),
            show_if={"field": "answer.reason", "op": "ne", "value": "no_need"},
        ),
        single(
            "return",
            both("Could you imagine coming back one day?", "Können Sie sich vorstellen, eines Tages zurückzukommen?"),
            ("yes", "Yes", "Ja"),
            ("perhaps", "Perhaps", "Vielleicht"),
            ("no", "No", "Nein"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "It was good to have you with us. Our door stays open, for you and for those you recommend us to.",
            "Schön, dass Sie bei uns waren. Unsere Tür bleibt offen – für Sie und für alle, denen Sie uns empfehlen.",
        ),
        passive=both(
            "It was good to have you with us. Should things change, we look forward to seeing you again.",
            "Schön, dass Sie bei uns waren. Sollte sich etwas ändern, freuen wir uns auf ein Wiedersehen.",
        ),
        detractor=both(
            "We would like to understand what went wrong, without trying to talk you round. May we call you?",
            "Wir möchten verstehen, was schiefgelaufen ist, ohne Sie umstimmen zu wollen. Dürfen wir Sie anrufen?",
        ),
    ),
)
