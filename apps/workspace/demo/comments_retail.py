"""What customers of a shop write, by driver, language and whether it pleased them."""

from apps.workspace.demo.comment_types import Remarks

RETAIL: dict[str, dict[str, Remarks]] = {
    "delivery_time": {
        "de": Remarks(
            good=(
                "Nach {days} war das Paket da, schneller als angekündigt.",
                "Super schnelle Lieferung, und der Bote war auch noch freundlich.",
                "Bestellt, und nach {days} schon damit draußen gewesen.",
                "Die Lieferung kam genau an dem Tag, der in der Mail stand.",
                "Versand klappt bei euch wirklich tadellos.",
                "Ich hatte es eilig, und es hat gereicht. Danke!",
                "Die Sendungsverfolgung stimmte auf die Stunde.",
                "Blitzschnell geliefert ({product}), sogar vor dem Wochenende.",
                "Paket lag wie gewünscht bei der Nachbarin, ohne Umwege.",
            ),
            bad=(
                "Erst nach {days} angekommen. Versprochen waren zwei.",
                "Das Paket hing tagelang im Verteilzentrum, und niemand wusste, wo.",
                "Lieferung nach {days}: Das Geschenk kam zu spät.",
                "Laut Sendungsverfolgung dreimal „in Zustellung“, gekommen ist lange nichts.",
                "Viel zu lange gewartet. Woanders habe ich das am nächsten Tag.",
                "Das Lieferdatum wurde zweimal verschoben, ohne ein Wort der Erklärung.",
                "Zustellung angeblich nicht möglich. Ich war den ganzen Tag zu Hause!",
                "Aus Hamburg und erst nach {days} da, das geht besser.",
                "Das Paket landete in einer Filiale am anderen Ende der Stadt.",
                "Wenn man „Lieferung in 48 Stunden“ schreibt, sollte man es auch halten.",
            ),
        ),
        "en": Remarks(
            good=(
                "Arrived after {days}, sooner than promised.",
                "Really quick delivery and a friendly driver.",
                "The parcel came on exactly the day the mail said.",
                "I needed it for a trip and it was here in time. Thanks!",
                "Ordered in the evening, out hiking with it {days} later.",
                "Tracking was spot on, to the hour.",
                "Fastest delivery I've had in a long time.",
                "Left with the neighbour as I asked. No fuss at all.",
            ),
            bad=(
                "It took {days}. The site said two.",
                "My parcel sat in a depot for ages and nobody could tell me why.",
                "Came after {days}, too late for the birthday.",
                "“Out for delivery” three days in a row, then nothing.",
                "The delivery date moved twice and nobody told me.",
                "The courier claimed I wasn't home. I was in all day.",
                "Had to fetch it from a shop on the other side of town.",
                "{days} is simply too long for something that's in stock.",
                "Please don't promise 48 hours if you can't keep it.",
            ),
        ),
    },
    "product_quality": {
        "de": Remarks(
            good=(
                "Hochwertig verarbeitet, die Nähte sind sauber. Bestellt: {product}.",
                "Die Qualität ist besser, als ich für den Preis erwartet hätte.",
                "Passt wie angegossen und fühlt sich wertig an.",
                "Nach drei Touren im Regen immer noch trocken.",
                "Genau wie auf den Fotos, Farbe stimmt auch.",
                "Tolles Material, riecht nicht nach Chemie.",
                "Das hält bestimmt viele Jahre.",
                "Mein zweites Stück von euch, und wieder sehr zufrieden ({product}).",
            ),
            bad=(
                "Nach einer Woche ging der Reißverschluss kaputt.",
                "Fällt eine Nummer kleiner aus als angegeben.",
                "Die Farbe hat mit dem Foto wenig zu tun.",
                "Eine Naht war schon beim Auspacken offen ({product}).",
                "Für diesen Preis hätte ich besseres Material erwartet.",
                "Riecht auch nach dreimal Waschen noch nach Plastik.",
                "Wasserdicht ist etwas anderes.",
                "Kam mit einem Kratzer an, offenbar schon einmal zurückgeschickt.",
            ),
        ),
        "en": Remarks(
            good=(
                "Beautifully made, the seams are perfect. I bought: {product}.",
                "Better quality than I expected at this price.",
                "Fits perfectly and feels solid.",
                "Three walks in heavy rain and still dry inside.",
                "Looks exactly like in the pictures.",
                "This will last for years.",
                "Lovely material, no chemical smell.",
                "My second order ({product}) and I'm just as happy.",
            ),
            bad=(
                "The zip broke within a week.",
                "Runs a full size small.",
                "The colour is nothing like the photo.",
                "One seam was open when I unpacked it ({product}).",
                "At this price I expected better material.",
                "Still smells of plastic after three washes.",
                "Waterproof? Not really.",
                "Arrived scratched, as if somebody had sent it back before.",
            ),
        ),
    },
    "service": {
        "de": Remarks(
            good=(
                "Auf meine Frage zur Größe kam sofort eine gute Antwort.",
                "Sehr nette Beratung, man merkt, dass die Leute selbst wandern gehen.",
                "Alles unkompliziert, auch die Änderung der Adresse.",
                "Die handgeschriebene Karte im Paket war eine schöne Überraschung.",
                "Von der Bestellung bis zum Auspacken: einfach angenehm.",
                "Freundlich, ehrlich, kein Verkaufsgerede.",
                "Man wird hier noch wie ein Mensch behandelt.",
            ),
            bad=(
                "Auf zwei Mails kam nur eine Standardantwort.",
                "Die Telefonnummer muss man auf der Seite lange suchen.",
                "Meine Adressänderung wurde einfach übersehen.",
                "Die Beratung am Telefon wirkte genervt.",
                "Rabattcode ging nicht, und keiner fühlte sich zuständig.",
                "Die Rechnung kam erst nach der dritten Nachfrage.",
                "Der Chat ist nur ein Automat, der im Kreis antwortet.{new}",
            ),
        ),
        "en": Remarks(
            good=(
                "Quick and honest advice about sizes.",
                "Lovely people on the phone. You can tell they go outdoors themselves.",
                "Changing the address was no trouble at all.",
                "The handwritten card in the box made me smile.",
                "Easy from the order to the unpacking.",
                "Friendly and honest, no sales talk.",
                "They treat you like a person here.",
            ),
            bad=(
                "Two mails and only a canned reply.",
                "I had to hunt for a phone number on your site.",
                "My change of address was simply ignored.",
                "The person on the phone sounded annoyed.",
                "The discount code failed and nobody felt responsible.",
                "I had to ask three times for the invoice.",
                "The chat is a machine that goes in circles.{new}",
            ),
        ),
    },
    "help_effectiveness": {
        "de": Remarks(
            good=(
                "Beim ersten Anruf gelöst, Ersatz war am nächsten Tag da.",
                "Mein Anliegen wurde verstanden und gleich erledigt.",
                "Der Kollege hat sich richtig gekümmert und sogar zurückgerufen.",
                "Ohne Diskussion umgetauscht. So stelle ich mir das vor.",
                "Kompetent und mit Humor, gern wieder.",
            ),
            bad=(
                "Mein Problem besteht immer noch.",
                "Ich wurde dreimal weiterverbunden und musste alles neu erzählen.",
                "Die Antwort hatte mit meiner Frage nichts zu tun.",
                "Versprochener Rückruf kam nie.",
                "Man hat mir nur den Link zu den FAQ geschickt.",
                "Am Ende musste ich selbst beim Paketdienst anrufen.",
            ),
        ),
        "en": Remarks(
            good=(
                "Solved on the first call, and the replacement came the next day.",
                "They understood my problem and fixed it there and then.",
                "Your colleague really cared and even called me back.",
                "Exchanged without any argument. That's how it should be.",
                "Competent and with a sense of humour.",
            ),
            bad=(
                "My problem still isn't solved.",
                "Passed on three times and had to tell my story again each time.",
                "The reply had nothing to do with my question.",
                "You promised to call back. Nobody did.",
                "All I got was a link to the FAQ.",
                "In the end I had to phone the courier myself.",
            ),
        ),
    },
    "response_time": {
        "de": Remarks(
            good=(
                "Antwort im Chat nach wenigen Minuten, klasse.{new}",
                "Kaum geschrieben, schon kam die Antwort.",
                "Der neue Chat ist Gold wert, endlich keine Warteschleife.{new}",
                "Ich kam am Telefon sofort durch.",
                "So schnell hat mir noch kein Shop geantwortet.",
            ),
            bad=(
                "Auf die erste Antwort habe ich {wait} gewartet.",
                "Zwanzig Minuten Warteschleife, dann flog ich aus der Leitung.",
                "Der Service ist kaum zu erreichen.",
                "{wait} ohne Reaktion, das ist zu lang, wenn das Paket fehlt.",
                "Bis jemand geantwortet hat, hatte ich es selbst herausgefunden.",
            ),
        ),
        "en": Remarks(
            good=(
                "Answer in the chat within minutes, brilliant.{new}",
                "I had hardly sent the mail when the reply came.",
                "The new chat is a blessing. No more phone queue.{new}",
                "Got through on the phone right away.",
                "No shop ever answered me that fast.",
            ),
            bad=(
                "I waited {wait} for a first reply.",
                "Twenty minutes on hold and then the line dropped.",
                "Your service is nearly impossible to reach.",
                "{wait} of silence is too long when a parcel is missing.",
                "By the time somebody replied I had found out myself.",
            ),
        ),
    },
    "return_ease": {
        "de": Remarks(
            good=(
                "Rücksendung mit zwei Klicks angemeldet, Etikett kam sofort.",
                "Die neue Seite für Rücksendungen ist herrlich einfach.{new}",
                "Code am Automaten gescannt, fertig.",
                "Umtausch gegen die größere Größe lief ganz ohne Papierkram.",
                "Kostenlos und ohne Fragen zurückgenommen.",
            ),
            bad=(
                "Das Rücksendeetikett musste ich per Mail erbitten.",
                "Ohne Drucker ist man bei der Rücksendung aufgeschmissen.",
                "Warum gibt es keinen direkten Umtausch gegen eine andere Größe?",
                "Das Formular hat meine Bestellnummer nicht erkannt.",
                "Zur Rücksendung fand ich auf der Seite keine klare Anleitung.",
            ),
        ),
        "en": Remarks(
            good=(
                "Two clicks and the label was there.",
                "The new returns page is wonderfully simple.{new}",
                "Scanned a code at the locker, done.",
                "Swapped for a bigger size with no paperwork.",
                "Free and no questions asked.",
            ),
            bad=(
                "I had to beg for a return label by mail.",
                "No printer, no return. It's not 1999.",
                "Why can't I swap for another size directly?",
                "The form didn't accept my order number.",
                "Nowhere a clear explanation of how to send things back.",
            ),
        ),
    },
    "refund_speed": {
        "de": Remarks(
            good=(
                "Das Geld war nach zwei Tagen wieder da.",
                "Erstattung kam, bevor ich überhaupt daran gedacht habe.",
                "Die Gutschrift war schneller als das Paket.",
                "Rückzahlung prompt und auf den Cent genau.",
            ),
            bad=(
                "Auf die Erstattung warte ich seit über zwei Wochen.",
                "Erst nach einer Mahnung kam mein Geld zurück.",
                "Die Versandkosten wurden bei der Erstattung vergessen.",
                "Ich wollte mein Geld und keinen Gutschein.",
            ),
        ),
        "en": Remarks(
            good=(
                "Money back in two days.",
                "The refund came before I even thought of it.",
                "You refunded me faster than the parcel travelled.",
                "Prompt refund, correct to the cent.",
            ),
            bad=(
                "Still waiting for my refund after two weeks.",
                "I had to chase you to get my money back.",
                "The postage was missing from the refund.",
                "I wanted my money, not a voucher.",
            ),
        ),
    },
}
