"""What people write about ordering, prices and invoices, by driver, language and whether it pleased them."""

from apps.workspace.demo.comment_types import Remarks

BUYING: dict[str, dict[str, Remarks]] = {
    "checkout_ease": {
        "de": Remarks(
            good=(
                "In zwei Minuten bestellt, ohne Umwege.",
                "Die Kasse ist angenehm kurz.",
                "Adresse war noch da, ein Klick, fertig.",
                "Bestellen ging auch am Telefon ganz leicht.",
            ),
            bad=(
                "Meine Zahlungsart gibt es nicht, das hat mich beinahe vertrieben.",
                "Warum brauche ich ein Konto, um einmal etwas zu bestellen?",
                "An der Kasse kam dreimal eine Fehlermeldung.",
                "Nach der Eingabe des Gutscheins war der Warenkorb leer.",
                "Die Kasse verlangt zu viele Angaben.",
            ),
        ),
        "en": Remarks(
            good=(
                "Ordered in two minutes, no detours.",
                "The checkout is pleasantly short.",
                "My address was still there, one click, done.",
                "Ordering was easy even on my phone.",
            ),
            bad=(
                "My way to pay is missing, I nearly left because of it.",
                "Why do I need an account to order once?",
                "The checkout gave me an error three times.",
                "After I entered the voucher, the basket was empty.",
                "The checkout asks for far too much.",
            ),
        ),
    },
    "prices": {
        "de": Remarks(
            good=(
                "Fairer Preis für gute Ware.",
                "Günstiger als im Laden um die Ecke.",
                "Die Preise sind ehrlich, ohne Tricks.",
            ),
            bad=(
                "Das Porto stand erst ganz am Ende da.",
                "Eine Woche später war es zehn Euro billiger.",
                "Für das Gebotene ist es inzwischen zu teuer.",
            ),
        ),
        "en": Remarks(
            good=(
                "A fair price for good things.",
                "Cheaper than the shop around the corner.",
                "Honest prices, no tricks.",
            ),
            bad=(
                "The postage only appeared at the very end.",
                "A week later it was ten euros less.",
                "Too expensive by now for what you get.",
            ),
        ),
    },
}
BUYING["club_value"] = {
    "de": Remarks(
        good=("Der Club war gut, ich brauche ihn nur nicht mehr.", "Schöne Rabatte, ich komme vielleicht wieder."),
        bad=(
            "Der Club kostet mehr, als er mir an Rabatt gebracht hat.",
            "Ich habe die Vorteile im ganzen Jahr zweimal genutzt.",
            "Die Rabatte galten nie für das, was ich wollte.",
        ),
    ),
    "en": Remarks(
        good=("The club was good, I just don't need it any more.", "Nice discounts, I may come back."),
        bad=(
            "The club cost more than it saved me.",
            "I used its benefits twice in a whole year.",
            "The discounts never applied to what I wanted.",
        ),
    ),
}

BILLING: dict[str, dict[str, Remarks]] = {
    "invoice_clarity": {
        "de": Remarks(
            good=(
                "Endlich eine Rechnung, die man auf Anhieb versteht.",
                "Jeder Posten ist erklärt, unsere Buchhaltung ist froh.",
                "Rechnung kam pünktlich und stimmte.",
            ),
            bad=(
                "Niemand bei uns versteht, wie sich der Betrag zusammensetzt.",
                "Auf der Rechnung stehen Plätze, die wir längst gekündigt haben.",
                "Ohne Bestellnummer bekommt die Rechnung bei uns keiner gebucht.",
                "Die Rechnung kam erst nach der zweiten Nachfrage.",
                "Drei Rechnungen für einen Vertrag, das prüft keiner gern.",
            ),
        ),
        "en": Remarks(
            good=(
                "At last an invoice that one understands at once.",
                "Every item is explained, our accountants are happy.",
                "The invoice was on time and correct.",
            ),
            bad=(
                "Nobody here understands what the amount is made of.",
                "The invoice lists seats that we gave up months ago.",
                "Without our order number nobody can book your invoice.",
                "The invoice only came after we asked twice.",
                "Three invoices for one contract, nobody likes to check that.",
            ),
        ),
    },
    "payment_ease": {
        "de": Remarks(
            good=(
                "Lastschrift eingerichtet und nie wieder daran gedacht.",
                "Zahlen ging mit einem Klick.",
                "Die Zahlung war noch am selben Tag verbucht.",
            ),
            bad=(
                "Mahnung bekommen, obwohl längst bezahlt war.",
                "Lastschrift geht nur mit dem teuersten Tarif.",
                "Das Zahlungsziel ist für ein Amt viel zu kurz.",
            ),
        ),
        "en": Remarks(
            good=(
                "Set up direct debit and never thought of it again.",
                "Paying took one click.",
                "The payment was booked the same day.",
            ),
            bad=(
                "We got a reminder although we had paid long ago.",
                "Direct debit comes with the most expensive plan only.",
                "The time to pay is far too short for a public office.",
            ),
        ),
    },
}
