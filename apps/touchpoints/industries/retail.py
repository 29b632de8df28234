"""Retail: a shop online, perhaps with branches."""

from apps.touchpoints.industries.base import CUSTOMER, Industry, phase, point

RETAIL = Industry(
    key="retail",
    name={"en": "Retail and online shop", "de": "Handel und Onlineshop"},
    about={
        "en": "From the first advertisement to the next order, with delivery, payment and returns.",
        "de": "Von der ersten Anzeige bis zur nächsten Bestellung, mit Lieferung, Zahlung und Rücksendung.",
    },
    phases=(
        phase(
            "awareness", "Awareness", "Aufmerksamkeit",
            point("ad_seen", "Advertisement seen", "Anzeige gesehen"),
            point("newsletter_subscribed", "Newsletter subscribed", "Newsletter abonniert"),
        ),
        phase(
            "consideration", "Consideration", "Auswahl",
            point("product_viewed", "Product page visited", "Produktseite besucht"),
            point("advice_given", "Advice in chat or in the shop", "Beratung im Chat oder in der Filiale"),
            point("cart_abandoned", "Basket left behind", "Warenkorb verlassen"),
        ),
        phase(
            "purchase", "Purchase", "Kauf",
            phase("checkout", "Checkout", "Bestellabschluss",
                  point("order_placed", "Order placed", "Bestellung aufgegeben", CUSTOMER),
                  point("store_purchase", "Bought in the shop", "In der Filiale gekauft", CUSTOMER)),
            phase("payment", "Payment", "Bezahlung",
                  point("invoice_sent", "Invoice sent", "Rechnung verschickt", CUSTOMER),
                  point("payment_received", "Payment received", "Zahlung eingegangen", CUSTOMER),
                  point("payment_reminder", "Payment reminder sent", "Zahlungserinnerung verschickt", CUSTOMER)),
        ),
        phase(
            "delivery", "Delivery", "Lieferung",
            point("order_shipped", "Parcel on its way", "Paket unterwegs", CUSTOMER),
            point("order_received", "Order received", "Bestellung erhalten", CUSTOMER),
            point("order_picked_up", "Order picked up in the shop", "Bestellung in der Filiale abgeholt", CUSTOMER),
        ),
        phase(
            "use", "Use", "Nutzung",
            point("product_in_use", "Product in use for some weeks", "Produkt einige Wochen in Gebrauch", CUSTOMER),
            point("review_written", "Product review written", "Produktbewertung geschrieben"),
        ),
        phase(
            "service", "Service and returns", "Service und Rücksendung",
            point("support_closed", "Question to service answered", "Serviceanfrage beantwortet"),
            point("complaint_closed", "Complaint settled", "Reklamation erledigt", CUSTOMER),
            phase("returns", "Returns", "Rücksendung",
                  point("return_registered", "Return registered", "Rücksendung angemeldet", CUSTOMER),
                  point("refund_paid", "Money paid back", "Geld erstattet", CUSTOMER)),
        ),
        phase(
            "loyalty", "Loyalty", "Bindung",
            point("second_order", "Ordered again", "Erneut bestellt", CUSTOMER),
            point("loyalty_joined", "Loyalty programme joined", "Kundenprogramm beigetreten"),
            point("friend_referred", "Recommended to a friend", "An Freunde weiterempfohlen"),
        ),
    ),
)  # fmt: skip
