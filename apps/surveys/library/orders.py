"""Ready-made: around the order."""

from apps.surveys.library.blocks import (
    Entry,
    answered,
    at_most,
    both,
    ces,
    chosen,
    comment,
    multiple,
    nps,
    rating,
    said,
    segment,
    single,
    thanks,
    words,
    yes_no,
)

ORDER_RECEIVED = Entry(
    key="order-received",
    name=both("Order received", "Bestellung erhalten"),
    touchpoint=both("A few days after delivery", "Einige Tage nach der Lieferung"),
    about=both(
        "Recommendation, delivery time, product quality and service; asks further only where something was poor.",
        "Weiterempfehlung, Lieferzeit, Produktqualität und Service; fragt nur dort nach, wo etwas nicht gut war.",
    ),
    questions=(
        nps(
            both(
                "Thinking of your latest order: how likely are you to recommend us to friends or colleagues?",
                "Wenn Sie an Ihre letzte Bestellung denken: Wie wahrscheinlich ist es, dass Sie uns im Freundes- oder "
                "Kollegenkreis weiterempfehlen?",
            )
        ),
        comment(
            both("What is the main reason for your score?", "Was ist der wichtigste Grund für Ihre Bewertung?"),
            promoter=both("What did you like best?", "Was hat Ihnen am besten gefallen?"),
            passive=both("What would have made it perfect?", "Was hätte es für Sie perfekt gemacht?"),
            detractor=both(
                "We are sorry to hear that. What went wrong?", "Das tut uns leid. Was ist nicht gut gelaufen?"
            ),
        ),
        rating("delivery_time", both("How was the delivery time?", "Wie war die Lieferzeit?")),
        rating("product_quality", both("How is the quality of the product?", "Wie ist die Qualität des Produkts?")),
        rating(
            "service", both("How was our service around the order?", "Wie war unser Service rund um die Bestellung?")
        ),
        single(
            "delivery_problem",
            both("What was wrong with the delivery?", "Was war bei der Lieferung nicht in Ordnung?"),
            ("late", "It came later than promised.", "Sie kam später als zugesagt."),
            ("too_slow", "The promised time was too long.", "Die angekündigte Lieferzeit war zu lang."),
            ("damaged", "It arrived damaged.", "Sie kam beschädigt an."),
            ("incomplete", "Something was missing or wrong.", "Etwas fehlte oder war falsch."),
            ("no_news", "I did not know where it was.", "Ich wusste nicht, wo die Sendung war."),
            ("other", "Something else", "Etwas anderes"),
            show_if=at_most("delivery_time", 2),
        ),
        words(
            "quality_problem",
            both("What did you expect of the product instead?", "Was hatten Sie von dem Produkt stattdessen erwartet?"),
            show_if=at_most("product_quality", 2),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "If you know somebody who is looking for just this: we are glad of every recommendation.",
            "Kennen Sie jemanden, der genau so etwas sucht? Über Ihre Empfehlung freuen wir uns sehr.",
        ),
        detractor=both(
            "Your order should have been better than this. We would like to put it right: may we call you?",
            "Ihre Bestellung hätte besser laufen müssen. Wir möchten das in Ordnung bringen: Dürfen wir Sie anrufen?",
        ),
    ),
)

CHECKOUT = Entry(
    key="checkout",
    name=both("Checkout", "Bestellvorgang"),
    touchpoint=both("Right after ordering", "Direkt nach dem Bestellen"),
    about=both(
        "How easy ordering was, and what stood in the way.",
        "Wie einfach das Bestellen war und was dabei gestört hat.",
    ),
    questions=(
        ces(both("Placing my order was easy.", "Das Bestellen war für mich einfach.")),
        comment(
            both(
                "What should we know about the checkout?",
                "Was sollten wir über den Bestellvorgang wissen?",
            ),
            promoter=both("What made ordering so easy?", "Was hat das Bestellen so einfach gemacht?"),
            passive=both("What would have been easier?", "Was hätte einfacher sein können?"),
            detractor=both("What made it difficult for you?", "Was hat es Ihnen schwer gemacht?"),
        ),
        yes_no(
            "had_problem",
            both("Did something not work as expected?", "Hat etwas nicht so funktioniert, wie Sie es erwartet haben?"),
        ),
        multiple(
            "problem",
            both("What was it about? Choose all that apply.", "Worum ging es? Wählen Sie alles Zutreffende aus."),
            ("payment", "Payment", "Bezahlung"),
            ("address", "Entering the address", "Eingabe der Adresse"),
            ("shipping", "Shipping costs or delivery date", "Versandkosten oder Liefertermin"),
            ("voucher", "Voucher or discount", "Gutschein oder Rabatt"),
            ("account", "Signing in or customer account", "Anmeldung oder Kundenkonto"),
            ("technical", "Error message or slow page", "Fehlermeldung oder langsame Seite"),
            ("other", "Something else", "Etwas anderes"),
            show_if=said("had_problem", True),
        ),
        words(
            "problem_details",
            both("What exactly happened?", "Was genau ist passiert?"),
            show_if=said("had_problem", True),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "Your order has reached us. Do tell others how easy it was.",
            "Ihre Bestellung ist bei uns angekommen. Erzählen Sie gern weiter, wie einfach es war.",
        ),
        detractor=both(
            "Ordering should not be hard work. If something about your order is still open, may we call you?",
            "Bestellen sollte keine Mühe machen. Ist zu Ihrer Bestellung noch etwas offen? Dürfen wir Sie anrufen?",
        ),
    ),
)

REPEAT_PURCHASE = Entry(
    key="repeat-purchase",
    name=both("Repeat purchase or upgrade", "Wiederkauf oder Zusatzkauf"),
    touchpoint=both("After a further purchase or an upgrade", "Nach einem weiteren Kauf oder einem Upgrade"),
    about=both(
        "What brings customers back, and whether a suggestion fitted.",
        "Was Kundinnen und Kunden zurückkommen lässt und ob eine Empfehlung gepasst hat.",
    ),
    questions=(
        nps(
            both(
                "You have chosen us again, thank you! How likely are you to recommend us to friends or colleagues?",
                "Sie haben sich erneut für uns entschieden – vielen Dank! Wie wahrscheinlich ist es, dass Sie uns im "
                "Freundes- oder Kollegenkreis weiterempfehlen?",
            )
        ),
        comment(
            both("What is the main reason for your score?", "Was ist der wichtigste Grund für Ihre Bewertung?"),
            promoter=both("What do you tell others about us?", "Was erzählen Sie anderen über uns?"),
            passive=both("What would win you over completely?", "Was würde Sie ganz überzeugen?"),
            detractor=both(
                "What has disappointed you although you came back?",
                "Was hat Sie enttäuscht, obwohl Sie wiedergekommen sind?",
            ),
        ),
        multiple(
            "reasons",
            both("What made you choose us again?", "Warum haben Sie sich wieder für uns entschieden?"),
            ("quality", "Quality", "Qualität"),
            ("price", "Price", "Preis"),
            ("range", "Choice", "Auswahl"),
            ("service", "Service", "Service"),
            ("habit", "It is simply convenient.", "Es ist einfach bequem."),
            ("advice", "A suggestion from you", "Eine Empfehlung von Ihnen"),
            ("other", "Something else", "Etwas anderes"),
        ),
        rating(
            "suggestion_fit",
            both("How well did our suggestion suit you?", "Wie gut hat unsere Empfehlung zu Ihnen gepasst?"),
            both("not at all", "gar nicht"),
            both("perfectly", "sehr gut"),
            show_if=chosen("reasons", "advice"),
        ),
        words(
            "missing",
            both("What do you miss in our offer?", "Was fehlt Ihnen in unserem Angebot?"),
            show_if=segment("passive", "detractor"),
        ),
        single(
            "next_purchase",
            both("When do you expect to buy from us again?", "Wann werden Sie voraussichtlich wieder bei uns kaufen?"),
            ("month", "Within a month", "Innerhalb eines Monats"),
            ("half_year", "Within six months", "Innerhalb eines halben Jahres"),
            ("later", "Later", "Später"),
            ("not", "Probably not", "Wahrscheinlich nicht"),
            ("unknown", "I cannot say yet.", "Das kann ich noch nicht sagen."),
        ),
        words(
            "not_again_reason",
            both("What keeps you from it?", "Was hält Sie davon ab?"),
            show_if=answered("next_purchase", "not"),
        ),
    ),
    thanks=thanks(
        promoter=both(
            "Customers who come back are the best recommendation. If you like, tell others about us.",
            "Wer wiederkommt, ist unsere beste Empfehlung. Erzählen Sie gern anderen von uns.",
        ),
        detractor=both(
            "You came back, and we let you down. We would like to understand why: may we call you?",
            "Sie sind wiedergekommen, und wir haben Sie enttäuscht. Wir möchten wissen, warum: Dürfen wir Sie anrufen?",
        ),
    ),
)
