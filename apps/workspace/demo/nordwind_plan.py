"""Nordwind's journey, and what is asked where. As plain data."""

from datetime import timedelta

from apps.workspace.demo.blueprint import Driver, Option, StageSpec, SurveySpec, TouchpointSpec, both

STAGES = (
    StageSpec(
        "awareness",
        both("Awareness", "Aufmerksamkeit"),
        (TouchpointSpec("newsletter_signup", both("Newsletter sign-up", "Newsletter-Anmeldung")),),
    ),
    StageSpec(
        "consideration",
        both("Consideration", "Abwägen"),
        (TouchpointSpec("product_page", both("Product page", "Produktseite")),),
    ),
    StageSpec(
        "purchase",
        both("Purchase", "Kauf"),
        (TouchpointSpec("checkout", both("Checkout", "Kasse"), proves_customer=True),),
    ),
    StageSpec(
        "delivery",
        both("Delivery", "Lieferung"),
        steps=(
            StageSpec(
                "dispatch",
                both("Dispatch", "Versand"),
                (
                    TouchpointSpec(
                        "order_shipped", both("Order shipped", "Bestellung verschickt"), proves_customer=True
                    ),
                ),
            ),
            StageSpec(
                "arrival",
                both("Arrival", "Ankunft"),
                (
                    TouchpointSpec(
                        "order_received", both("Order received", "Bestellung erhalten"), proves_customer=True
                    ),
                ),
            ),
            StageSpec(
                "returns",
                both("Returns", "Rücksendung"),
                (
                    TouchpointSpec(
                        "return_processed", both("Return processed", "Rücksendung erledigt"), proves_customer=True
                    ),
                ),
            ),
        ),
    ),
    StageSpec(
        "service",
        both("Service", "Service"),
        (TouchpointSpec("support_closed", both("Support contact", "Kontakt mit dem Service")),),
    ),
    StageSpec(
        "loyalty",
        both("Loyalty", "Treue"),
        (
            TouchpointSpec("repeat_purchase", both("Repeat purchase", "Wiederkauf"), proves_customer=True),
            TouchpointSpec("subscription_cancelled", both("Club membership cancelled", "Club gekündigt")),
        ),
    ),
    StageSpec(
        "advocacy",
        both("Advocacy", "Empfehlung"),
        (TouchpointSpec("friend_referred", both("Friend referred", "Freunde geworben")),),
    ),
)

SURVEYS = (
    SurveySpec(
        key="order",
        name=both("After the order was received", "Nach Erhalt der Bestellung"),
        comment=both("What is the main reason for your score?", "Was ist der Hauptgrund für Ihre Bewertung?"),
        drivers=(
            Driver("delivery_time", both("How was the delivery time?", "Wie war die Lieferzeit?"), 1.25),
            Driver("product_quality", both("How is the product's quality?", "Wie ist die Qualität der Ware?"), 1.0),
            Driver("service", both("How was our service?", "Wie war unser Service?"), 0.7),
        ),
        touchpoint="order_received",
        rule="After the order was received",
        delay=timedelta(days=3),
        answer_rate=0.41,
        base=8.5,
        reasons=(
            Option("late", both("It came too late", "Die Lieferung kam zu spät"), 1.0, "delivery_time"),
            Option(
                "quality", both("The product disappointed me", "Die Ware hat mich enttäuscht"), 1.0, "product_quality"
            ),
            Option("damaged", both("It arrived damaged", "Es kam beschädigt an"), 0.6, "product_quality"),
            Option("unheard", both("Nobody helped me", "Niemand hat mir geholfen"), 0.8, "service"),
            Option("packaging", both("Too much packaging", "Zu viel Verpackung"), 1.5),
        ),
    ),
    SurveySpec(
        key="service",
        name=both("After a support contact", "Nach einem Kontakt mit dem Service"),
        comment=both("What should we have done differently?", "Was hätten wir anders machen sollen?"),
        drivers=(
            Driver("help_effectiveness", both("Did we solve your concern?", "Konnten wir Ihr Anliegen lösen?"), 1.3),
            Driver("response_time", both("How quickly did we reply?", "Wie schnell haben wir geantwortet?"), 1.0),
        ),
        touchpoint="support_closed",
        rule="After a support contact",
        delay=timedelta(hours=1),
        answer_rate=0.38,
        base=8.4,
        priority=10,
        reasons=(
            Option("unsolved", both("It is not solved", "Es ist nicht gelöst"), 1.2, "help_effectiveness"),
            Option("slow", both("I waited too long", "Ich habe zu lange gewartet"), 1.0, "response_time"),
            Option("repeat", both("I had to explain it again", "Ich musste alles noch einmal erklären"), 3.0),
        ),
    ),
    SurveySpec(
        key="return",
        name=both("After a return", "Nach einer Rücksendung"),
        comment=both("How can we make returns easier?", "Wie können wir Rücksendungen einfacher machen?"),
        drivers=(
            Driver("return_ease", both("How easy was the return?", "Wie einfach war die Rücksendung?"), 1.2),
            Driver("refund_speed", both("How quick was the refund?", "Wie schnell war die Erstattung?"), 1.0),
        ),
        touchpoint="return_processed",
        rule="After a return",
        delay=timedelta(days=1),
        answer_rate=0.36,
        base=8.1,
        incentive=both("€5 voucher as a thank-you", "5-€-Gutschein als Dankeschön"),
        reasons=(
            Option("label", both("I had to ask for the label", "Ich musste um das Etikett bitten"), 1.1, "return_ease"),
            Option("unclear", both("It was not clear how", "Es war unklar, wie es geht"), 0.9, "return_ease"),
            Option(
                "refund", both("The refund took too long", "Die Erstattung hat zu lange gedauert"), 1.0, "refund_speed"
            ),
        ),
    ),
    SurveySpec(
        key="purchase",
        name=both("Around the purchase", "Rund um den Kauf"),
        comment=both("What should be easier?", "Was sollte einfacher sein?"),
        drivers=(
            Driver("checkout_ease", both("How easy was it to order?", "Wie einfach war das Bestellen?"), 1.3),
            Driver("prices", both("How are our prices?", "Wie finden Sie unsere Preise?"), 0.8),
        ),
        touchpoint="checkout",
        also=("order_shipped", "repeat_purchase"),
        rule="Around the purchase",
        delay=timedelta(minutes=30),
        answer_rate=0.4,
        base=8.6,
        percent=14,
        satisfaction=both(
            "How satisfied are you with the ways to pay?", "Wie zufrieden sind Sie mit den Möglichkeiten zu zahlen?"
        ),
        reasons=(
            Option("payment", both("My way to pay was missing", "Meine Zahlungsart hat gefehlt"), 1.3, "checkout_ease"),
            Option("account", both("I had to open an account", "Ich musste ein Konto anlegen"), 0.9, "checkout_ease"),
            Option("postage", both("The postage came as a surprise", "Das Porto kam überraschend"), 0.9, "prices"),
            Option("error", both("There were error messages", "Es gab Fehlermeldungen"), 0.5, "checkout_ease"),
        ),
    ),
    SurveySpec(
        key="goodbye",
        name=both("When somebody leaves the club", "Beim Abschied aus dem Club"),
        comment=both("What would have kept you?", "Was hätte Sie gehalten?"),
        drivers=(
            Driver("club_value", both("Was the club worth its price?", "War der Club seinen Preis wert?"), 1.0),
            Driver("service", both("How was our service?", "Wie war unser Service?"), 0.7),
        ),
        touchpoint="subscription_cancelled",
        rule="After leaving the club",
        delay=timedelta(hours=2),
        answer_rate=0.42,
        base=8.2,
        takes_one=True,
        reasons=(
            Option("price", both("Too expensive", "Zu teuer"), 1.2, "club_value"),
            Option("unused", both("I hardly used it", "Ich habe ihn kaum genutzt"), 4.0),
            Option("treated", both("I was not treated well", "Ich wurde nicht gut behandelt"), 0.8, "service"),
        ),
    ),
)

RELATION = SurveySpec(
    key="year",
    name=both("Your year with us", "Ihr Jahr mit uns"),
    comment=both("What is the main reason for your score?", "Was ist der Hauptgrund für Ihre Bewertung?"),
    drivers=(
        Driver("product_quality", both("How good are our products?", "Wie gut sind unsere Produkte?"), 0.5),
        Driver("service", both("How good is our service?", "Wie gut ist unser Service?"), 0.4),
    ),
    touchpoint="",
    rule="Plus, once a year",
    delay=timedelta(0),
    percent=80,
    answer_rate=0.44,
    base=8.3,
    memory={"order_received": 0.6, "return_processed": 0.3},
)
