"""The mails of both demo tenants: invitation and follow-ups by segment."""

from apps.workspace.demo.blueprint import CampaignSpec, Letter, both

PROMOTER = CampaignSpec(
    name="Thank promoters",
    segment="promoter",
    letter=Letter(
        subject=both("Thank you, {{ name|and all the best }}!", "Danke, {{ name|das freut uns }}!"),
        body=both(
            "Hello {{ name|there }},\n\nyou gave us {{ score }} out of 10 for “{{ touchpoint }}”. That made our "
            "day, and we read what you wrote aloud in the team.\n\nIf a friend asks you for a tip: we would be "
            "happy about a kind word.\n\nThe people at {{ brand }}",
            "Hallo {{ name|und guten Tag }},\n\nSie haben uns {{ score }} von 10 Punkten für „{{ touchpoint }}“ "
            "gegeben. Das hat uns den Tag gerettet, und wir haben Ihre Worte im Team vorgelesen.\n\nFalls jemand "
            "Sie nach einem Tipp fragt: Über ein gutes Wort freuen wir uns.\n\nIhr Team von {{ brand }}",
        ),
    ),
    no_comment=Letter(
        subject=both("Thank you! What did you like most?", "Danke! Was hat Ihnen am besten gefallen?"),
        body=both(
            "Hello {{ name|there }},\n\nthank you for {{ score }} out of 10 for “{{ touchpoint }}”. What did we do "
            "well? One sentence is enough; just reply to this mail. We would like to do it again.\n\nThe people at "
            "{{ brand }}",
            "Hallo {{ name|und guten Tag }},\n\nvielen Dank für {{ score }} von 10 Punkten für „{{ touchpoint }}“. "
            "Was war gut? Ein Satz genügt, antworten Sie einfach auf diese Mail. Dann machen wir es wieder so.\n\n"
            "Ihr Team von {{ brand }}",
        ),
    ),
)

PASSIVE = CampaignSpec(
    name="Ask passives",
    segment="passive",
    letter=Letter(
        subject=both("What would make it a 9 or 10?", "Was fehlt noch zur 9 oder 10?"),
        body=both(
            "Hello {{ name|there }},\n\nthank you for your {{ score }} for “{{ touchpoint }}”. Good, but there is "
            "room. We have read your remark and passed it on to the people who can change it.\n\nWhat would have "
            "made it a 9 or 10? A reply to this mail reaches us.\n\nThe people at {{ brand }}",
            "Hallo {{ name|und guten Tag }},\n\ndanke für Ihre {{ score }} für „{{ touchpoint }}“. Gut, aber da "
            "geht noch etwas. Ihre Anmerkung haben wir gelesen und an die weitergegeben, die es ändern können.\n\n"
            "Was hätte es zur 9 oder 10 gemacht? Eine Antwort auf diese Mail erreicht uns.\n\nIhr Team von "
            "{{ brand }}",
        ),
    ),
    no_comment=Letter(
        subject=both("Tell us more: what was missing?", "Erzählen Sie uns mehr: Was hat gefehlt?"),
        body=both(
            "Hello {{ name|there }},\n\nyou gave us {{ score }} out of 10 for “{{ touchpoint }}”. We would love to "
            "know why not more. Please reply with the one thing that would make it a 9 or 10.\n\nThe people at "
            "{{ brand }}",
            "Hallo {{ name|und guten Tag }},\n\nSie haben uns {{ score }} von 10 Punkten für „{{ touchpoint }}“ "
            "gegeben. Wir wüssten gern, was gefehlt hat. Antworten Sie uns mit dem einen, das es zur 9 oder 10 "
            "machen würde.\n\nIhr Team von {{ brand }}",
        ),
    ),
)

DETRACTOR = CampaignSpec(
    name="Help detractors",
    segment="detractor",
    opens_case=True,
    letter=Letter(
        subject=both("We are sorry, {{ name|and want to help }}", "Das tut uns leid, {{ name|wir möchten helfen }}"),
        body=both(
            "Hello {{ name|there }},\n\nwe let you down at “{{ touchpoint }}”, and we are sorry. Thank you for "
            "telling us so plainly. One of us is looking at what went wrong and will be in touch within two working "
            "days.\n\nIf you would rather talk now: reply to this mail with a number and a good time, and we call "
            "you.\n\nThe people at {{ brand }}",
            "Hallo {{ name|und guten Tag }},\n\nbei „{{ touchpoint }}“ haben wir Sie enttäuscht, und das tut uns "
            "leid. Danke, dass Sie es so offen sagen. Jemand von uns sieht sich an, was schiefging, und meldet sich "
            "innerhalb von zwei Werktagen.\n\nWenn Sie lieber gleich sprechen möchten: Antworten Sie mit Ihrer "
            "Nummer und einer passenden Zeit, wir rufen an.\n\nIhr Team von {{ brand }}",
        ),
    ),
    no_comment=Letter(
        subject=both("Tell us more: what went wrong?", "Erzählen Sie uns mehr: Was lief schief?"),
        body=both(
            "Hello {{ name|there }},\n\nyou gave us {{ score }} out of 10 for “{{ touchpoint }}”. Something must "
            "have gone wrong, and we are sorry. What was it? Reply in your own words; somebody who can put it right "
            "reads it.\n\nThe people at {{ brand }}",
            "Hallo {{ name|und guten Tag }},\n\nSie haben uns {{ score }} von 10 Punkten für „{{ touchpoint }}“ "
            "gegeben. Da muss etwas schiefgelaufen sein, und das tut uns leid. Was war es? Schreiben Sie uns mit "
            "Ihren Worten; es liest jemand, der es in Ordnung bringen kann.\n\nIhr Team von {{ brand }}",
        ),
    ),
)

CAMPAIGNS = (PROMOTER, PASSIVE, DETRACTOR)

INVITATION = Letter(
    subject=both("{{ name|Hello }}, how was it? One click is enough", "{{ name|Hallo }}, wie war es? Ein Klick genügt"),
    body=both(
        "Hello {{ name|there }},\n\nhow likely is it that you would recommend {{ brand }} to a friend or colleague? "
        "0 is not at all likely, 10 is extremely likely.\n\nThe people at {{ brand }}",
        "Hallo {{ name|und guten Tag }},\n\nwie wahrscheinlich ist es, dass Sie {{ brand }} Freunden oder Kollegen "
        "empfehlen? 0 heißt sehr unwahrscheinlich, 10 äußerst wahrscheinlich.\n\nIhr Team von {{ brand }}",
    ),
)
