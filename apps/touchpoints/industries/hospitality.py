"""Hospitality: hotels and holiday resorts."""

from apps.touchpoints.industries.base import CUSTOMER, Industry, phase, point

HOSPITALITY = Industry(
    key="hospitality",
    name={"en": "Hotel and hospitality", "de": "Hotel und Gastgewerbe"},
    about={
        "en": "From the first idea to the next stay, with booking, arrival, the stay itself and the bill.",
        "de": "Von der ersten Idee bis zum nächsten Aufenthalt, mit Buchung, Anreise, Aufenthalt und Rechnung.",
    },
    phases=(
        phase(
            "inspiration", "Inspiration", "Inspiration",
            point("website_visited", "Website visited", "Website besucht"),
            point("portal_found", "Found on a booking portal", "Auf einem Buchungsportal gefunden"),
        ),
        phase(
            "booking", "Booking", "Buchung",
            point("enquiry_answered", "Enquiry answered", "Anfrage beantwortet"),
            point("stay_booked", "Stay booked", "Aufenthalt gebucht", CUSTOMER),
            point("booking_changed", "Booking changed or cancelled", "Buchung geändert oder storniert", CUSTOMER),
        ),
        phase(
            "arrival", "Arrival", "Anreise",
            point("arrival_mail_sent", "Information before arrival sent", "Anreiseinformation verschickt", CUSTOMER),
            point("checked_in", "Checked in", "Eingecheckt", CUSTOMER),
        ),
        phase(
            "stay", "Stay", "Aufenthalt",
            phase("room", "Room", "Zimmer",
                  point("first_night", "First night over", "Erste Nacht verbracht", CUSTOMER),
                  point("room_wish_met", "Wish about the room met", "Zimmerwunsch erfüllt", CUSTOMER)),
            phase("gastronomy", "Food and drink", "Gastronomie",
                  point("breakfast_had", "Breakfast had", "Gefrühstückt", CUSTOMER),
                  point("restaurant_visited", "Restaurant visited", "Restaurant besucht", CUSTOMER)),
            phase("leisure", "Spa and leisure", "Wellness und Freizeit",
                  point("spa_visited", "Spa visited", "Wellnessbereich besucht", CUSTOMER),
                  point("event_attended", "Event attended", "Veranstaltung besucht", CUSTOMER)),
            point("complaint_closed", "Complaint settled during the stay", "Reklamation im Haus erledigt", CUSTOMER),
        ),
        phase(
            "departure", "Departure", "Abreise",
            point("checked_out", "Checked out", "Ausgecheckt", CUSTOMER),
            point("invoice_sent", "Bill handed over", "Rechnung übergeben", CUSTOMER),
            point("payment_received", "Bill paid", "Rechnung bezahlt", CUSTOMER),
        ),
        phase(
            "afterwards", "Afterwards", "Nach dem Aufenthalt",
            point("stay_over", "Back home for some days", "Seit einigen Tagen zu Hause", CUSTOMER),
            point("review_written", "Review written", "Bewertung geschrieben"),
        ),
        phase(
            "return", "Coming back", "Wiederkommen",
            point("stay_booked_again", "Booked again", "Erneut gebucht", CUSTOMER),
            point("club_joined", "Guest club joined", "Gästeclub beigetreten"),
            point("guest_referred", "Recommended to others", "Weiterempfohlen"),
        ),
    ),
)  # fmt: skip
