"""Who an answer came from, by its score (Reichheld 2003). Pure: no Django."""

PROMOTER = "promoter"
PASSIVE = "passive"
DETRACTOR = "detractor"


def segment_of(score: int) -> str:
    """9–10 promoter, 7–8 passive, 0–6 detractor."""
    if score >= 9:
        return PROMOTER
    return PASSIVE if score >= 7 else DETRACTOR
