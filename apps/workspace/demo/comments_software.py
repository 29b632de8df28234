"""What users of a software product write, by driver, language and whether it pleased them."""

from apps.workspace.demo.comment_types import Remarks

SOFTWARE: dict[str, dict[str, Remarks]] = {
    "help_effectiveness": {
        "de": Remarks(
            good=(
                "Problem verstanden, gelöst und noch einen Tipp dazubekommen ({topic}).",
                "Der Techniker hat sich aufgeschaltet, und nach zehn Minuten lief es wieder.",
                "Endlich ein Support, der zuhört, statt Textbausteine zu schicken.",
                "Die Lösung kam mit Erklärung, jetzt können wir es selbst.",
                "Sehr kompetent, auch bei der kniffligen Frage zum Thema {topic}.",
                "Der Fehler wurde nicht nur umgangen, sondern behoben.",
                "Das neue Team weiß, wovon es spricht.{new}",
            ),
            bad=(
                "Ticket geschlossen, Fehler noch da ({topic}).",
                "Drei Ansprechpartner, drei verschiedene Antworten.",
                "Ich sollte den Cache leeren. Das war nicht das Problem.",
                "Die Lösung war ein Umweg, den wir jetzt jede Woche gehen müssen.",
                "Man hat mir das Handbuch zitiert, das ich schon gelesen hatte.",
                "Ohne die Hilfe aus dem Forum wäre ich heute noch nicht weiter.",
                "Beim Thema {topic} kennt sich offenbar niemand richtig aus.",
            ),
        ),
        "en": Remarks(
            good=(
                "Understood, solved, and I got a useful tip on top ({topic}).",
                "The engineer joined by screen share and it ran again in ten minutes.",
                "At last support that listens instead of pasting text.",
                "The fix came with an explanation, so next time we can do it ourselves.",
                "Very competent, even with our odd question about {topic}.",
                "They fixed the cause, not just the symptom.",
                "The new team knows what it is talking about.{new}",
            ),
            bad=(
                "Ticket closed, error still there ({topic}).",
                "Three people, three different answers.",
                "I was told to clear my cache. That wasn't it.",
                "The fix is a workaround that we now repeat every week.",
                "They quoted the manual I had already read.",
                "Without the user forum I'd still be stuck.",
                "Nobody seems to know much about {topic}.",
            ),
        ),
    },
    "response_time": {
        "de": Remarks(
            good=(
                "Schneller Rückruf, das spart uns einen halben Tag.",
                "Die Antwort kam, während ich noch Kaffee holte.",
                "Seit ein paar Monaten reagiert der Support spürbar schneller.{new}",
                "Morgens gemeldet, vormittags erledigt.",
                "Kurze Wege, schnelle Antwort, so muss das sein.",
                "Auch am Freitagnachmittag war sofort jemand da.",
            ),
            bad=(
                "Bis zur ersten Antwort vergingen {wait}. So lange stand bei uns alles still.",
                "Priorität „hoch“, und trotzdem {wait} Funkstille.",
                "Das Warten ist zermürbend, man weiß nie, ob das Ticket jemand gesehen hat.",
                "Die Antwort kam erst, als die Frist vorbei war.",
                "Am Telefon ist mittags niemand zu erreichen.",
                "Ihr seid gut, aber zu langsam: {wait} für eine einfache Frage.",
            ),
        ),
        "en": Remarks(
            good=(
                "A quick call back saved us half a day.",
                "The answer came while I was getting coffee.",
                "Support has become noticeably faster these last months.{new}",
                "Reported in the morning, done before lunch.",
                "Short lines and quick answers. Perfect.",
                "Even late on a Friday somebody was there.",
            ),
            bad=(
                "It took {wait} to get a first reply and we stood still all that time.",
                "Marked as urgent, and still {wait} of silence.",
                "You never know whether anybody has seen the ticket.",
                "The answer came after our deadline.",
                "Nobody picks up the phone around noon.",
                "You are good but slow: {wait} for a simple question.",
            ),
        ),
    },
    "ease_of_use": {
        "de": Remarks(
            good=(
                "Nach einer Stunde wollte im Team keiner mehr die alte Lösung zurück.",
                "Aufgeräumt und logisch, man findet alles.",
                "Selbst die Kollegen, die Software hassen, kommen klar.",
                "Der Einstieg mit den Beispieldaten war großartig.",
                "Import lief beim ersten Versuch durch.",
            ),
            bad=(
                "Die Einrichtung der Berechtigungen ist ein Labyrinth.",
                "Zu viele Klicks für einfache Dinge.",
                "Ohne Schulung hätten wir es nicht geschafft.",
                "Die Begriffe in der Oberfläche passen nicht zu unserer Arbeit.",
                "Auf dem Tablet kaum zu bedienen.",
            ),
        ),
        "en": Remarks(
            good=(
                "After an hour nobody wanted the old tool back.",
                "Tidy and logical. You find everything.",
                "Even colleagues who hate software get along with it.",
                "Starting with sample data was a great idea.",
                "The import worked the first time.",
            ),
            bad=(
                "Setting up permissions is a maze.",
                "Too many clicks for simple things.",
                "We would not have managed without the training.",
                "The words on the screens don't match our work.",
                "Hardly usable on a tablet.",
            ),
        ),
    },
    "documentation": {
        "de": Remarks(
            good=(
                "Das Handbuch beantwortet Fragen, bevor man sie stellt.",
                "Die kurzen Videos haben uns sehr geholfen.",
                "Gute Beispiele, alles auf dem neuesten Stand.",
                "Anleitung für die Schnittstelle: vorbildlich.",
            ),
            bad=(
                "Das Handbuch zeigt noch die alte Oberfläche.",
                "Für Administratoren fehlt ein Leitfaden.",
                "Die Suche im Handbuch findet nichts.",
                "Die Hälfte der Hilfe gibt es nur auf Englisch.",
            ),
        ),
        "en": Remarks(
            good=(
                "The manual answers questions before you ask them.",
                "The short videos helped us a lot.",
                "Good examples and all up to date.",
                "The interface guide is exemplary.",
            ),
            bad=(
                "The manual still shows the old screens.",
                "There is no guide for administrators.",
                "Searching the manual finds nothing.",
                "Half of the help pages are out of date.",
            ),
        ),
    },
    "reliability": {
        "de": Remarks(
            good=(
                "Läuft seit Monaten ohne einen Ausfall.",
                "Man merkt gar nicht, dass es da ist. Ein größeres Lob gibt es nicht.",
                "Updates kommen, ohne dass etwas bricht.",
                "Auch beim Monatsabschluss stabil und schnell.",
                "Wir verlassen uns jeden Tag darauf.",
            ),
            bad=(
                "Seit Version 7 hängt es mehrmals am Tag.{new}",
                "Nach dem großen Update waren unsere Berichte einen Tag lang weg.{new}",
                "Zwei Ausfälle in einem Monat, und auf der Statusseite stand nichts.",
                "Die mobile App stürzt beim Speichern ab.",
                "Montagmorgens ist es kaum zu benutzen.",
            ),
        ),
        "en": Remarks(
            good=(
                "Months without a single outage.",
                "You don't notice it's there, which is the highest praise.",
                "Updates arrive and nothing breaks.",
                "Stable and fast even at month's end.",
                "We rely on it every day.",
            ),
            bad=(
                "Since version 7 it freezes several times a day.{new}",
                "Our reports were gone for a day after the big update.{new}",
                "Two outages in a month and nothing on the status page.",
                "The mobile app crashes when saving.",
                "Hardly usable on Monday mornings.",
            ),
        ),
    },
    "value": {
        "de": Remarks(
            good=(
                "Fairer Preis für das, was es kann.",
                "Spart uns jede Woche einen Arbeitstag.",
                "Hat sich nach drei Monaten gerechnet.",
                "Alles enthalten, keine versteckten Module.",
            ),
            bad=(
                "Die Preiserhöhung kam ohne neue Funktionen.",
                "Für kleine Teams inzwischen zu teuer.",
                "Wichtige Auswertungen gibt es nur im teuersten Tarif.",
                "Wir zahlen für Plätze, die niemand nutzt.",
            ),
        ),
        "en": Remarks(
            good=(
                "A fair price for what it does.",
                "Saves us a working day every week.",
                "It paid for itself in three months.",
                "Everything included, no hidden modules.",
            ),
            bad=(
                "The price went up and nothing new came with it.",
                "Too expensive by now for a small team.",
                "The reports we need are in the most expensive plan only.",
                "We pay for seats nobody uses.",
            ),
        ),
    },
}
